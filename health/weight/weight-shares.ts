// Joins what makes an endpoint carry less (or more) than its weight, and publishes the product; and the limit of its
// requests in flight, which slow start scales too. Both are read at each pick, so a change needs no epoch. Thread: main.

import type { EndpointHealth, ShareParts, UpstreamHealth } from '../state/endpoint-health.ts';
import type { Publisher } from '../state/publisher.ts';

/** Minimum published share: some requests must show how the endpoint performs. */
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
    if (part === 'slowStart') this.publishLimit(health);
  }

  /** Publishes how many requests may be in flight. */
  publishLimit(health: EndpointHealth): void {
    this.#publisher.limit(health.slot, limitOf(health));
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
      if (slowStart !== 1) this.publishLimit(health);
    }
  }
}

/**
 * Most requests in flight, 0 where there is no limit: as configured, or as found by the gradient, or less where the
 * endpoint asks for less; during a slow start its share of that, at least one. An endpoint that no other one could spare
 * carries all.
 */
export function limitOf(health: EndpointHealth): number {
  const ours = health.gradient?.limit ?? health.upstream.snapshot.limits.maxConnections;
  const limit = Math.min(ours || Infinity, health.agent.maxConnections ?? Infinity);
  const { slowStart } = health.shares;
  if (limit === Infinity) return 0;
  if (slowStart === 1 || !health.upstream.hasPeerOf(health)) return limit;
  return Math.max(1, Math.ceil(limit * slowStart));
}
