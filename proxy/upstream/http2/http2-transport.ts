// The transport of upstreams with `protocol: http2`: attempts as streams over one pool per endpoint and worker.
// Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import { failureOf } from '../../../core/failure.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import { FrameMemory } from '../../http2/frame-writer.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { Http1TransportParts } from '../http1/http1-transport.ts';
import { PoolTable } from '../pool-table.ts';
import { Http2Attempt } from './http2-attempt.ts';
import { Http2Pool } from './http2-pool.ts';
import { http2RequestFields } from './request-fields.ts';

export class Http2Transport implements Transport {
  readonly #pools: PoolTable<Http2Pool>;

  constructor(parts: Http1TransportParts) {
    const { wheel, turn, memory } = parts;
    const shared = { wheel, turn, memory, frames: new FrameMemory() };
    this.#pools = new PoolTable((endpoint, upstream) => new Http2Pool(endpoint, upstream, shared, parts));
  }

  /** For a scanned head, events may come before this returns; for all others they come after the caller's turn. */
  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const isImmediate = request.head instanceof ScannedRequestHead;
    const fields = http2RequestFields(request);
    const attempt = new Http2Attempt(request, events, isImmediate, fields ?? []);
    if (fields === null) queueMicrotask(() => attempt.fail(failureOf('unsendable-request', false)));
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
