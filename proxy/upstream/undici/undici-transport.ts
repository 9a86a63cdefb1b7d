// The transport over undici: attempts over one pool per endpoint and worker. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import type { Region } from '../../../core/memory/region.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { Timers } from '../../../core/timers.ts';
import { EndpointLane } from '../endpoint-lane.ts';
import type { OnIdleDeath } from '../idle-deaths.ts';
import { PoolTable } from '../pool-table.ts';
import { RequestEncoder } from '../request-encoder.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { UndiciAttempt } from './undici-attempt.ts';

/** Worker objects that a transport uses. */
export interface TransportParts {
  readonly region: Region;
  /** Index of the worker, whose lane is counted in. */
  readonly worker: number;
  readonly timers: Timers;
  /** Called when the idle connections of an endpoint died in a way that suggests its death. */
  readonly onIdleDeath?: OnIdleDeath;
}

export class UndiciTransport implements Transport {
  readonly #encoder = new RequestEncoder();
  readonly #pools: PoolTable<EndpointPool>;

  constructor(parts: TransportParts) {
    const { region, worker, timers, onIdleDeath = () => undefined } = parts;
    this.#pools = new PoolTable((endpoint, upstream) => {
      const lane = new EndpointLane(region, worker, endpoint.slot);
      return new EndpointPool(endpoint, upstream, { timers, lane, onIdleDeath });
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
