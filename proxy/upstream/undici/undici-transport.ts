// The transport over undici: attempts over one pool per endpoint and worker. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../../../core/snapshot/upstream.ts';
import type { Dialler } from '../../../net/dial.ts';
import { EndpointLane } from '../endpoint-lane.ts';
import { PoolTable } from '../pool-table.ts';
import { PooledTransport } from '../pooled-transport.ts';
import { RequestEncoder } from '../request-encoder.ts';
import type { TransportParts } from '../transport-parts.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { UndiciAttempt } from './undici-attempt.ts';

export class UndiciTransport extends PooledTransport<EndpointPool> implements Transport {
  readonly #encoder = new RequestEncoder();

  constructor(parts: TransportParts) {
    const makePool = (endpoint: EndpointSnapshot, upstream: UpstreamSettings, dialler?: Dialler): EndpointPool => {
      const lane = new EndpointLane(parts.region, parts.worker, endpoint.slot);
      return new EndpointPool(endpoint, upstream, lane, parts, dialler);
    };
    super(new PoolTable(makePool));
  }

  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const lease = () => this.pools.poolFor(request).lease(request);
    const attempt = new UndiciAttempt(request, this.#encoder.encode(request), events, lease);
    attempt.start();
    return attempt;
  }
}
