// Joins what makes an endpoint carry less (or more) than its weight, and publishes the product. Balancers read it at
// each pick, so a change needs no epoch: it never comes to 0. Thread: main.

import type { EndpointHealth, ShareParts, UpstreamHealth } from './endpoint-health.ts';
import type { Publisher } from './publisher.ts';

/** Less than this is never published, whatever comes together: some requests must tell how the endpoint does. */
const MIN_SHARE = 0.01;

export class WeightShares {
  readonly #publisher: Publisher;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** Sets one part and publishes the product. */
  set(health: EndpointHealth, part: keyof ShareParts, share: number): void {
    health.shares[part] = share;
    this.publish(health);
  }

  /**
   * Publishes the product of the parts. An endpoint that no other one could spare carries all: a share has no meaning
   * for it, and some balancers would look for another one in vain.
   */
  publish(health: EndpointHealth): void {
    const { slowStart, overflow, agent } = health.shares;
    const share = health.upstream.hasPeerOf(health) ? Math.max(MIN_SHARE, slowStart * overflow * agent) : 1;
    if (share === health.share) return;
    health.share = share;
    this.#publisher.share(health.slot, share);
  }

  /** To be called when an endpoint of the upstream came or went. */
  refresh(upstream: UpstreamHealth): void {
    for (const health of upstream.endpoints.values()) {
      const { slowStart, overflow, agent } = health.shares;
      if (slowStart !== 1 || overflow !== 1 || agent !== 1) this.publish(health);
    }
  }
}
