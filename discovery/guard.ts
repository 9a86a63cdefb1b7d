// Removals by a new set, and whether the guard holds it. Thread: main.

import type { GuardSnapshot } from '../core/snapshot/discovery.ts';
import { idOf, type DiscoveredEndpoint } from './source.ts';

/** Share of a set whose removal at once is logged as a warning, and the least number of endpoints. */
const LOUD_PERCENT = 50;
const LOUD_COUNT = 2;

/** Endpoints of `before` that `after` doesn't have. */
export function removedFrom(
  before: readonly DiscoveredEndpoint[],
  after: readonly DiscoveredEndpoint[],
): readonly DiscoveredEndpoint[] {
  const present = new Set(after.map(idOf));
  return before.filter((endpoint) => !present.has(idOf(endpoint)));
}

/** Whether a set that removes so many endpoints is held. */
export function isHeldBy(guard: GuardSnapshot | null, removed: number, before: number): boolean {
  return guard !== null && before > 0 && (100 * removed) / before > guard.maxRemovedPercent;
}

/** Whether operators should notice the removal. */
export function isSudden(removed: number, before: number): boolean {
  return removed >= LOUD_COUNT && (100 * removed) / before >= LOUD_PERCENT;
}
