// What health knows of an endpoint, as the admin API gives it. Pure. Thread: main.

import type { AgentView, EndpointView } from '../health/endpoint-view.ts';
import type { Explanation } from '../health/explanation.ts';
import type { HealthEvent } from '../health/health-events.ts';
import { isoOf, isoOrNull } from './iso-time.ts';

/** State, cause and what is left of the weight: a part of every view of an endpoint. */
export function factsOf(view: EndpointView) {
  return {
    availability: view.availability,
    ...view.axes,
    since: isoOf(view.since),
    cause: view.cause,
    detector: view.detector,
    weight: view.weight,
    weightShare: Number(view.share.toFixed(3)),
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

/** The newest heartbeats, oldest first. */
export function heartbeatsOf(view: EndpointView) {
  return view.heartbeats.map((beat) => ({ ...beat, at: isoOf(beat.at) }));
}

/** One state change. */
export function eventOf(event: HealthEvent) {
  return { ...event, at: isoOf(event.at) };
}

/** What `GET .../why` answers. */
export type WhyAnswer = ReturnType<typeof explanationOf>;

/** Why an endpoint is as it is. */
export function explanationOf(explanation: Explanation) {
  const { upstream, name, now, reasons, wishes, ejectionsInRow, changes, events } = explanation;
  return {
    upstream,
    endpoint: name.slice(upstream.length + 1),
    now: isoOf(now),
    ...factsOf(explanation),
    wishes,
    reasons: reasons.map((reason) => ({
      ...reason,
      since: isoOrNull(reason.since),
      until: isoOrNull(reason.until),
    })),
    ejectionsInRow,
    changes,
    heartbeats: heartbeatsOf(explanation),
    events: events.map(eventOf),
  };
}

function agentOf({ at, said, admin, isDown, askedShare, share, words }: AgentView) {
  return { at: isoOf(at), said, admin, isDown, askedShare, share: Number(share.toFixed(3)), words };
}
