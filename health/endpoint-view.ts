// An endpoint's health as the admin API, the metrics and `why` show it: plain data, made when asked. Thread: main.

import type { Availability, EndpointAxes } from '../core/availability.ts';
import type { CountedHeartbeat, EndpointHealth, HealthCounters, Moment } from './endpoint-health.ts';
import { ejectionsInRow } from './outlier-axis.ts';

export interface EndpointView {
  readonly upstream: string;
  /** `upstream/host:port`. */
  readonly name: string;
  readonly slot: number;
  readonly backup: boolean;
  /** The weight that holds now: configured, or the operator's. */
  readonly weight: number;
  readonly availability: Availability;
  readonly axes: EndpointAxes;
  /** Wall-clock ms at which the availability began, and why it did. */
  readonly since: number;
  readonly cause: string;
  /** The newest heartbeats, oldest first. */
  readonly heartbeats: readonly CountedHeartbeat[];
  /** Failures of live traffic in a row, over all workers. */
  readonly consecutiveFailures: number;
  /** Ejections in a row that still lengthen the next one. */
  readonly ejectionsInRow: number;
  /** Wall-clock ms of the end of the ejection; null where there is none. */
  readonly ejectedUntil: number | null;
  /** Wall-clock ms of the next heartbeat; null where none is planned, or one is under way. */
  readonly nextCheck: number | null;
  readonly counters: Readonly<HealthCounters>;
  /** Out of service against the operator's will since the endpoint was added. */
  readonly downtimeSeconds: number;
}

/** What a view takes from elsewhere. */
export interface ViewContext extends Moment {
  readonly consecutiveFailures: number;
  /** Monotonic ms. */
  readonly nextCheckMs: number | null;
}

export function viewEndpoint(health: EndpointHealth, context: ViewContext): EndpointView {
  const { endpoint, upstream, state } = health;
  const wallOf = (ms: number): number => context.at + (ms - context.nowMs);
  return {
    upstream: upstream.snapshot.name,
    name: endpoint.name,
    slot: endpoint.slot,
    backup: endpoint.backup,
    weight: health.weight,
    availability: state.availability,
    axes: state.axes,
    since: health.since.at,
    cause: health.since.cause,
    heartbeats: [...health.history],
    consecutiveFailures: context.consecutiveFailures,
    ejectionsInRow: ejectionsInRow(state.outlier, context.nowMs, state.settings.outlier),
    ejectedUntil: state.outlier.outlier === 'ejected' ? wallOf(state.outlier.untilMs) : null,
    nextCheck: context.nextCheckMs === null ? null : wallOf(context.nextCheckMs),
    counters: { ...health.counters },
    downtimeSeconds: health.downtimeMs(context.nowMs) / 1_000,
  };
}
