// State of endpoints that survives a restart: saved as plain data, and restored. Thread: main.

import { SAVED_VERSION, type SavedEndpoint, type SavedHealth } from '../../config/files/saved-state.ts';
import type { EndpointHealth, Moment } from './endpoint-health.ts';

/** @param now the same moment on both clocks, which relates monotonic times to wall-clock times */
export function saveHealth(endpoints: Iterable<EndpointHealth>, now: Moment): SavedHealth {
  return {
    version: SAVED_VERSION,
    savedAt: now.at,
    endpoints: Array.from(endpoints, (health) => savedOf(health, now)),
  };
}

function savedOf(health: EndpointHealth, now: Moment): SavedEndpoint {
  const { endpoint, state, weight, upstream } = health;
  const { outlier, untilMs, ejections } = state.outlier;
  const isEjected = outlier === 'ejected' || outlier === 'halfOpen';
  return {
    upstream: upstream.snapshot.name,
    endpoint: endpoint.id,
    admin: state.wishes.operator,
    weight: weight === endpoint.weight ? null : { set: weight, configured: endpoint.weight },
    check: state.axes.check,
    ejection: isEjected ? { until: Math.round(now.at + untilMs - now.nowMs), inRow: ejections } : null,
  };
}

const CAUSE = 'kept over a restart';

/** Access to the endpoints that exist now. */
export interface RestoreTarget {
  readonly now: Moment;
  find(upstream: string, endpoint: string): EndpointHealth | undefined;
  setWeight(upstream: string, endpoint: string, weight: number, who: string): unknown;
}

/**
 * Restores the state of endpoints that exist. Returns how many do.
 * @param isFresh false: the state is old, so only the operator's settings are restored
 */
export function restoreHealth(saved: readonly SavedEndpoint[], isFresh: boolean, target: RestoreTarget): number {
  let count = 0;
  for (const one of saved) {
    const health = target.find(one.upstream, one.endpoint);
    if (health === undefined) continue;
    count++;
    restoreAdmin(health, one, target.now.nowMs);
    if (one.weight?.configured === health.endpoint.weight) {
      target.setWeight(one.upstream, one.endpoint, one.weight.set, 'what was kept over a restart');
    }
    if (isFresh) restoreFindings(health, one, target.now);
  }
  return count;
}

function restoreAdmin(health: EndpointHealth, saved: SavedEndpoint, nowMs: number): void {
  if (saved.admin !== 'ready') health.state.setAdmin(saved.admin, nowMs, { detector: 'operator', cause: CAUSE });
}

/** Restores check results where there are heartbeats, and ejections where another endpoint can take the traffic. */
function restoreFindings(health: EndpointHealth, saved: SavedEndpoint, now: Moment): void {
  const because = { detector: 'restart', cause: CAUSE } as const;
  if (health.upstream.snapshot.heartbeat !== null && saved.check !== 'unknown') {
    health.state.heartbeat(saved.check === 'down' ? 'condemn' : 'pass', now.nowMs, because);
  }
  if (saved.ejection === null || !health.upstream.hasPeerOf(health)) return;
  const { until, inRow } = saved.ejection;
  const { ejectionMaxMs } = health.state.settings.outlier;
  // A wall clock that was set back must not extend the ejection beyond its maximum.
  const leftMs = Math.min(Math.max(0, until - now.at), ejectionMaxMs);
  const resumes = { untilMs: now.nowMs + leftMs, ejections: inRow };
  health.state.liveTraffic({ kind: 'eject', signal: null, jitter: 0, resumes }, now.nowMs, because);
}
