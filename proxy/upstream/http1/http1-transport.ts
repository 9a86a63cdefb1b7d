// The transport of our HTTP/1.1 engine: attempts over one pool per endpoint and worker. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import { failureOf } from '../../../core/failure.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { TimerWheel } from '../../../core/timer-wheel.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';
import { PoolTable } from '../pool-table.ts';
import { RequestEncoder } from '../request-encoder.ts';
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

export class Http1Transport implements Transport {
  readonly #encoder = new RequestEncoder();
  readonly #pools: PoolTable<Http1Pool>;

  constructor(parts: Http1TransportParts) {
    const { wheel, turn, memory } = parts;
    const shared = { wheel, turn, memory, reuse: new ReuseDelay(wheel, turn) };
    this.#pools = new PoolTable((endpoint, upstream) => new Http1Pool(endpoint, upstream, shared, parts));
  }

  /** For a scanned head, events may come before this returns; for all others they come after the caller's turn. */
  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const isImmediate = request.head instanceof ScannedRequestHead;
    const headText = this.#encoder.encode(request);
    const attempt = new Http1Attempt(request, events, isImmediate, headText ?? '');
    if (headText === null) queueMicrotask(() => attempt.fail(failureOf('unsendable-request', false)));
    else if (isImmediate) this.#pools.poolFor(request).lease(attempt);
    else {
      queueMicrotask(() => {
        if (!attempt.isOver) this.#pools.poolFor(request).lease(attempt);
      });
    }
    return attempt;
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    this.#pools.update(upstreams);
  }

  dropIdle(slot: number): void {
    this.#pools.dropIdle(slot);
  }

  close(): Promise<void> {
    return this.#pools.close();
  }
}
