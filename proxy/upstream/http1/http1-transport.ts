// The transport of our HTTP/1.1 engine: attempts over one pool per endpoint and worker. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import type { TimerWheel } from '../../../core/timer-wheel.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';
import { PoolTable } from '../pool-table.ts';
import { RequestEncoder } from '../request-encoder.ts';
import { leaseFor, PooledTransport } from '../pooled-transport.ts';
import type { TransportParts } from '../transport-parts.ts';
import { Http1Attempt } from './http1-attempt.ts';
import { Http1Pool } from './http1-pool.ts';
import { ReuseDelay } from './reuse-delay.ts';

/** Worker objects that the transport uses. `turn` and `memory` are those of the worker's HTTP/1.1 client side. */
export interface Http1TransportParts extends TransportParts {
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
}

export class Http1Transport extends PooledTransport<Http1Pool> implements Transport {
  readonly #encoder = new RequestEncoder();

  constructor(parts: Http1TransportParts) {
    const { wheel, turn, memory } = parts;
    const shared = { wheel, turn, memory, reuse: new ReuseDelay(wheel, turn) };
    super(new PoolTable((endpoint, upstream, dialler) => new Http1Pool(endpoint, upstream, shared, parts, dialler)));
  }

  /** For a scanned head, events may come before this returns; for all others they come after the caller's turn. */
  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const isImmediate = request.head instanceof ScannedRequestHead;
    const headText = this.#encoder.encode(request);
    const attempt = new Http1Attempt(request, events, isImmediate, headText ?? '');
    return leaseFor(this.pools, attempt, headText !== null);
  }
}
