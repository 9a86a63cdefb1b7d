// Settings of an upstream that a route replaces. Pure. Thread: both.

import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

/** An upstream with the settings that a route replaces. */
export function overridden(snapshot: UpstreamSnapshot, overrides: RouteSnapshot['overrides']): UpstreamSnapshot {
  if (overrides === null) return snapshot;
  const timeouts = { ...snapshot.timeouts, ...overrides.timeouts };
  return { ...snapshot, timeouts, retry: { ...snapshot.retry, ...overrides.retry } };
}
