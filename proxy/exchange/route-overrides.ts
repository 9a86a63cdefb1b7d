// Settings of an upstream that a route replaces, and those for mirrored requests. Pure. Thread: both.

import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

/** An upstream with the settings that a route replaces. */
export function overridden(snapshot: UpstreamSnapshot, overrides: RouteSnapshot['overrides']): UpstreamSnapshot {
  if (overrides === null) return snapshot;
  const timeouts = { ...snapshot.timeouts, ...overrides.timeouts };
  return { ...snapshot, timeouts, retry: { ...snapshot.retry, ...overrides.retry } };
}

/** An upstream for mirrored requests: no retries, no hedges, and no waiting for an endpoint that becomes usable. */
export function forMirrors(snapshot: UpstreamSnapshot): UpstreamSnapshot {
  const retry = { ...snapshot.retry, attempts: 0, bufferBytes: 0 };
  return { ...snapshot, retry, hedge: null, whenAllDown: 'fail' };
}
