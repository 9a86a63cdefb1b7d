// Explanation of an endpoint's state: every reason that keeps requests from it, with its detector, its start and end, and
// recent changes. Pure. Thread: main.

import type { Detector } from '../state/detector.ts';
import type { ChangeLabels, EndpointHealth, Moment } from '../state/endpoint-health.ts';
import type { AxisName } from '../state/endpoint-state.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { HealthEvent } from './health-events.ts';

/** One thing that keeps requests from an endpoint. All times are wall-clock ms. */
export interface Reason {
  readonly axis: ChangeLabels['axis'];
  /** Where the axis stands. */
  readonly value: string;
  /** `none`: by itself enough to keep all ordinary requests away. `fewer`: some still come. */
  readonly effect: 'none' | 'fewer';
  readonly detector: Detector;
  readonly cause: string;
  /** Null where that isn't kept. */
  readonly since: number | null;
  /** When it ends at the earliest; null where something has to happen first. */
  readonly until: number | null;
}

export interface Explanation extends EndpointView {
  readonly now: number;
  /** Most important first; empty when nothing keeps requests away. */
  readonly reasons: readonly Reason[];
  /** The newest changes of this endpoint, oldest first. */
  readonly events: readonly HealthEvent[];
}

/** More are on the list of all events. */
const EVENTS = 20;

/** @param events of all endpoints, oldest first */
export function explain(
  health: EndpointHealth,
  now: Moment,
  view: EndpointView,
  events: readonly HealthEvent[],
): Explanation {
  const own = events.filter(({ upstream, endpoint }) => upstream === view.upstream && endpoint === view.name);
  return { ...view, now: now.at, reasons: reasonsOf(health, now, view), events: own.slice(-EVENTS) };
}

/** In the order of `availabilityOf`, then what only makes requests fewer. */
function reasonsOf(health: EndpointHealth, now: Moment, view: EndpointView): Reason[] {
  const { axes } = view;
  const wallOf = (ms: number): number => now.at + (ms - now.nowMs);
  const reasons = wishesOf(health, view);
  if (axes.resolution === 'unresolved') reasons.push(reasonOf(health, 'resolution', 'none', null));
  if (axes.check === 'down') reasons.push(reasonOf(health, 'check', 'none', null));
  const { untilMs } = health.state.outlier;
  if (axes.outlier === 'ejected') reasons.push(reasonOf(health, 'outlier', 'none', wallOf(untilMs)));
  if (axes.outlier === 'halfOpen') reasons.push(reasonOf(health, 'outlier', 'fewer', null));
  if (axes.outlier === 'suspect') reasons.push(reasonOf(health, 'outlier', 'fewer', null));
  return [...reasons, ...sharesOf(health, view, wallOf)];
}

/** Operator and endpoint may request the same state, and each has to withdraw its own request. */
function wishesOf(health: EndpointHealth, { wishes, agent }: EndpointView): Reason[] {
  const last = health.lastEdges.get('admin');
  return (['operator', 'agent'] as const).flatMap((detector): Reason[] => {
    const value = wishes[detector];
    if (value === 'ready') return [];
    const isLast = last?.detector === detector && last.to === value;
    const cause = detector === 'agent' ? `its agent says ${agent?.said ?? value}` : `set to ${value}`;
    const known = isLast ? { cause: last.cause, since: last.at } : { cause, since: null };
    return [{ axis: 'admin', value, effect: 'none', detector, ...known, until: null }];
  });
}

/** Reason given by the last transition of an axis. */
function reasonOf(health: EndpointHealth, axis: AxisName, effect: Reason['effect'], until: number | null): Reason {
  const { to, detector, cause, at } = health.lastEdges.get(axis)!;
  return { axis, value: to, effect, detector, cause, since: at, until };
}

function sharesOf(health: EndpointHealth, view: EndpointView, wallOf: (ms: number) => number): Reason[] {
  const { warming, overflow, agent } = health;
  const reasons: Reason[] = [];
  if (overflow !== null) {
    const { detector, startedMs, untilMs } = overflow;
    const cause = `it should be ejected, and the limit forbids it: ${overflow.cause}`;
    const span = { since: wallOf(startedMs), until: wallOf(untilMs) };
    reasons.push({ axis: 'share', value: 'reduced', effect: 'fewer', detector, cause, ...span });
  }
  if (warming !== null) {
    const cause = `slow start, at ${view.warming!.percent} % of its weight`;
    const span = { since: wallOf(warming.startedMs), until: wallOf(warming.untilMs) };
    reasons.push({ axis: 'slowStart', value: 'warming', effect: 'fewer', detector: 'timer', cause, ...span });
  }
  if (health.shares.agent < 1) {
    const cause = `its agent asks for a smaller share of its weight: ${agent.said}`;
    const since = { since: null, until: null };
    reasons.push({ axis: 'share', value: 'asked', effect: 'fewer', detector: 'agent', cause, ...since });
  }
  return reasons;
}
