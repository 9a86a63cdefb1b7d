// An endpoint's health in the form of the admin API. Pure. Thread: main.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { AgentView, EndpointView } from '../../health/record/endpoint-view.ts';
import type { Explanation } from '../../health/record/endpoint-explanation.ts';
import type { HealthEvent } from '../../health/record/health-events.ts';
import type { ChangeReply, EndpointFacts, WhyAnswer } from './endpoint-schemas.ts';
import { isoOf, isoOrNull } from './iso-time.ts';

type EndpointPlace = Pick<EndpointSnapshot, 'source' | 'origin' | 'zone' | 'metadata'>;

/** State, cause and effective weight: part of every view of an endpoint. */
export function factsOf(view: EndpointView): EndpointFacts {
  return {
    availability: view.availability,
    ...view.axes,
    wishes: view.wishes,
    since: isoOf(view.since),
    cause: view.cause,
    detector: view.detector,
    weight: view.weight,
    configuredWeight: view.configuredWeight,
    isWeightOverridden: view.weight !== view.configuredWeight,
    weightShare: Number(view.share.toFixed(3)),
    limit: limitOf(view),
    warming: view.warming === null ? null : { ...view.warming, until: isoOf(view.warming.until) },
    reducedUntil: isoOrNull(view.reducedUntil),
    agent: view.agent === null ? null : agentOf(view.agent),
    backup: view.backup,
    consecutiveFailures: view.consecutiveFailures,
    ejectedUntil: isoOrNull(view.ejectedUntil),
    nextCheck: isoOrNull(view.nextCheck),
    downtimeSeconds: Math.round(view.downtimeSeconds),
    health: view.counters,
  };
}

/** Origin, zone and labels of an endpoint. */
export function placeOf({ source, origin, zone, metadata }: EndpointPlace) {
  return { source, origin, zone, metadata };
}

/** The newest heartbeats, oldest first. */
export function heartbeatsOf(view: EndpointView) {
  return view.heartbeats.map((beat) => ({ ...beat, at: isoOf(beat.at) }));
}

/** One state change; the endpoint is named by its address, as in paths. */
export function changeOf(event: HealthEvent): ChangeReply {
  return { ...event, at: isoOf(event.at), endpoint: addressOf(event.upstream, event.endpoint) };
}

/** Health names endpoints `upstream/address`. */
function addressOf(upstream: string, name: string): string {
  return name.startsWith(`${upstream}/`) ? name.slice(upstream.length + 1) : name;
}

/** Explanation of an endpoint's state. */
export function explanationOf(explanation: Explanation): Omit<WhyAnswer, 'upstreamOrigin'> {
  const { upstream, name, now, reasons, ejectionsInRow, changes, events } = explanation;
  return {
    upstream,
    endpoint: addressOf(upstream, name),
    ...placeOf(explanation.place),
    now: isoOf(now),
    ...factsOf(explanation),
    reasons: reasons.map((reason) => ({
      ...reason,
      since: isoOrNull(reason.since),
      until: isoOrNull(reason.until),
    })),
    ejectionsInRow,
    changes: [...changes],
    heartbeats: heartbeatsOf(explanation),
    events: events.map(changeOf),
  };
}

function limitOf({ limit: { inFlight, adaptive } }: EndpointView): EndpointFacts['limit'] {
  if (adaptive === null) return { inFlight, adaptive };
  const rounded = (ms: number): number => Number(ms.toPrecision(3));
  return { inFlight, adaptive: { baselineMs: rounded(adaptive.baselineMs), p50Ms: rounded(adaptive.p50Ms) } };
}

function agentOf({ at, said, admin, isDown, askedShare, share, words }: AgentView) {
  return { at: isoOf(at), said, admin, isDown, askedShare, share: Number(share.toFixed(3)), words };
}
