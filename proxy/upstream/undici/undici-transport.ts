// The transport over undici: attempts over one pool per endpoint and worker. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import { EndpointLane } from '../endpoint-lane.ts';
import { PoolTable } from '../pool-table.ts';
import { RequestEncoder } from '../request-encoder.ts';
import type { TransportParts } from '../transport-parts.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { UndiciAttempt } from './undici-attempt.ts';

export class UndiciTransport implements Transport {
  readonly #encoder = new RequestEncoder();
  readonly #pools: PoolTable<EndpointPool>;

  constructor(parts: TransportParts) {
    this.#pools = new PoolTable((endpoint, upstream) => {
      const lane = new EndpointLane(parts.region, parts.worker, endpoint.slot);
      return new EndpointPool(endpoint, upstream, lane, parts);
    });
  }

  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const lease = () => this.#pools.poolFor(request).lease(request.mustUseFresh);
    const attempt = new UndiciAttempt(request, this.#encoder.encode(request), events, lease);
    attempt.start();
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
