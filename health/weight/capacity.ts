// Capacity of an upstream: whether the endpoints that are left can carry the requests that are there now. Thread: main.

import { E_INFLIGHT, UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import { isUsable } from '../outlier/ejection-limit.ts';
import type { UpstreamHealth } from '../state/endpoint-health.ts';
import { limitOf } from './weight-shares.ts';

/** Share of its usable limits above which an upstream counts as short of capacity: beyond it requests start to queue. */
const FULL_SHARE = 0.8;
/** Share of the weight in service that must be usable while there is load: with less, each endpoint carries twice its part. */
const MIN_USABLE_SHARE = 0.5;

/**
 * Whether an upstream needs its endpoints back sooner: none is usable, requests wait for one, the limits of the usable
 * ones are nearly reached, or under load half of the weight or more is out.
 */
export function lacksCapacity(upstream: UpstreamHealth, region: Region): boolean {
  const record = region.upstreamWord(upstream.snapshot.index);
  if (region.words[record + UPSTREAM.queued.index]! > 0) return true;
  let inflight = 0;
  let limit = 0;
  let usableWeight = 0;
  let weight = 0;
  for (const health of upstream.endpoints.values()) {
    inflight += Math.max(0, region.words[region.endpointWord(health.slot) + E_INFLIGHT]!);
    if (health.state.axes.admin === 'ready') weight += health.weight;
    if (!isUsable(health.state.availability)) continue;
    usableWeight += health.weight;
    limit += limitOf(health) || Number.POSITIVE_INFINITY;
  }
  if (usableWeight === 0) return true;
  return inflight >= limit * FULL_SHARE || (inflight > 0 && usableWeight <= weight * MIN_USABLE_SHARE);
}
