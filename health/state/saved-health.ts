// What of the endpoints' state is kept over a restart, taken from endpoints and given back to them. Thread: main.

import { SAVED_VERSION, type SavedEndpoint, type SavedHealth } from '../../config/files/saved-state.ts';
import type { EndpointHealth, Moment } from './endpoint-health.ts';

/** Wall and monotonic ms of now, which tie the two clocks together. */
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

/** Puts an endpoint that was added just now back where the operator wanted it. */
export function restoreRequestedStates(health: EndpointHealth, saved: SavedEndpoint, nowMs: number): void {
  if (saved.admin !== 'ready') health.state.setAdmin(saved.admin, nowMs, { detector: 'operator', cause: CAUSE });
}

/** Gives it back what was found out about it: checks where it has heartbeats, an ejection where others can do its work. */
export function restoreFindings(health: EndpointHealth, saved: SavedEndpoint, now: Moment): void {
  const because = { detector: 'restart', cause: CAUSE } as const;
  if (health.upstream.snapshot.heartbeat !== null && saved.check !== 'unknown') {
    health.state.heartbeat(saved.check === 'down' ? 'condemn' : 'pass', now.nowMs, because);
  }
  if (saved.ejection === null || !health.upstream.hasPeerOf(health)) return;
  const { until, inRow } = saved.ejection;
  const { ejectionMaxMs } = health.state.settings.outlier;
  // A clock that was set back must not make it longer than any ejection is.
  const leftMs = Math.min(Math.max(0, until - now.at), ejectionMaxMs);
  const resumes = { untilMs: now.nowMs + leftMs, ejections: inRow };
  health.state.liveTraffic({ kind: 'eject', signal: null, jitter: 0, resumes }, now.nowMs, because);
}
