// An endpoint's health as the admin API, the metrics and `why` show it: plain data, built on demand. Thread: main.

import type { Admin, Availability, EndpointAxes } from '../../core/availability.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { AgentWord } from '../weight/agent-words.ts';
import type { Detector } from '../state/detector.ts';
import type {
  ChangeCount,
  CountedHeartbeat,
  EndpointHealth,
  HealthCounters,
  Moment,
} from '../state/endpoint-health.ts';
import type { RequestedStates } from '../state/endpoint-state.ts';
import { ejectionsInRow } from '../state/outlier-axis.ts';
import { limitOf } from '../weight/weight-shares.ts';

export interface EndpointView {
  readonly upstream: string;
  /** `upstream/host:port`. */
  readonly name: string;
  readonly slot: number;
  /** Its origin, zone and labels. */
  readonly place: Pick<EndpointSnapshot, 'source' | 'origin' | 'zone' | 'metadata'>;
  readonly backup: boolean;
  /** The weight that holds now: configured, or the operator's. */
  readonly weight: number;
  readonly configuredWeight: number;
  readonly availability: Availability;
  readonly axes: EndpointAxes;
  /** Requested states, from which the admin axis follows. */
  readonly wishes: RequestedStates;
  /** Share of its weight that it carries now: 1 is all, and it may ask for up to 2 itself. */
  readonly share: number;
  /** Most requests that it may have in flight now; 0 is no limit. */
  readonly limit: { readonly inFlight: number; readonly adaptive: AdaptiveView | null };
  /** Its slow start, while one is under way. */
  readonly warming: { readonly percent: number; readonly until: number } | null;
  /** Wall-clock ms until which it carries less because the limit forbade its ejection; null where it doesn't. */
  readonly reducedUntil: number | null;
  /** Its own reports; null if it never sent one or agent feedback is off. */
  readonly agent: AgentView | null;
  /** Wall-clock ms at which the availability began, and why it did. */
  readonly since: number;
  readonly cause: string;
  readonly detector: Detector | null;
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
  /** All changes since the endpoint was added, by kind. */
  readonly changes: readonly Readonly<ChangeCount>[];
  /** Out of service against the operator's will since the endpoint was added. */
  readonly downtimeSeconds: number;
}

/** Latencies behind an adaptive limit, in ms; 0 while unknown. */
export interface AdaptiveView {
  /** Median of an answer while the endpoint is not crowded. */
  readonly baselineMs: number;
  /** Median of the newest answers. */
  readonly p50Ms: number;
}

/** Reports of an endpoint about itself. */
export interface AgentView {
  /** Wall-clock ms of its newest words, and the words. */
  readonly at: number;
  readonly said: string;
  readonly admin: Admin;
  readonly isDown: boolean;
  /** The share of its weight that it requested last, and the smoothed one in use; null and 1 when stale. */
  readonly askedShare: number | null;
  readonly share: number;
  readonly words: Readonly<Record<AgentWord, number>>;
}

/** Values of a view that other parts provide. */
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
    place: endpoint,
    backup: endpoint.backup,
    weight: health.weight,
    configuredWeight: endpoint.weight,
    availability: state.availability,
    axes: state.axes,
    wishes: state.wishes,
    share: health.share,
    limit: viewLimit(health),
    warming:
      health.warming === null
        ? null
        : { percent: Math.round(100 * health.shares.slowStart), until: wallOf(health.warming.untilMs) },
    reducedUntil: health.overflow === null ? null : wallOf(health.overflow.untilMs),
    agent: viewAgent(health),
    since: health.since.at,
    cause: health.since.cause,
    detector: health.since.detector,
    heartbeats: [...health.history],
    consecutiveFailures: context.consecutiveFailures,
    ejectionsInRow: ejectionsInRow(state.outlier, context.nowMs, state.settings.outlier),
    ejectedUntil: state.outlier.outlier === 'ejected' ? wallOf(state.outlier.untilMs) : null,
    nextCheck: context.nextCheckMs === null ? null : wallOf(context.nextCheckMs),
    counters: { ...health.counters },
    changes: health.changes.map((change) => ({ ...change })),
    downtimeSeconds: health.downtimeMs(context.nowMs) / 1_000,
  };
}

function viewLimit(health: EndpointHealth): EndpointView['limit'] {
  const { gradient } = health;
  const adaptive = gradient === null ? null : { baselineMs: gradient.baselineMs, p50Ms: gradient.p50Ms };
  return { inFlight: limitOf(health), adaptive };
}

function viewAgent({ agent, shares, state }: EndpointHealth): AgentView | null {
  if (agent.reportedAt === 0) return null;
  return {
    at: agent.reportedAt,
    said: agent.said,
    admin: state.wishes.agent,
    isDown: agent.down !== null,
    askedShare: agent.askedShare,
    share: shares.agent,
    words: { ...agent.wordCounts },
  };
}
