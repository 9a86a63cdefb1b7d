// Records each state change once: an event, a log line and a count for the metrics.
// Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Because } from '../state/detector.ts';
import { isUsable } from '../outlier/ejection-limit.ts';
import type { ChangeLabels, EndpointHealth } from '../state/endpoint-health.ts';
import type { StateEdge } from '../state/endpoint-state.ts';
import type { HealthEvents } from './health-events.ts';
import type { Logger, LogLevel } from '../../core/log.ts';
import { durationWords, edgeLine, percentWords } from './health-words.ts';
import { SuspicionFolding } from './suspicion-folding.ts';
import { ejectionsInRow } from '../state/outlier-axis.ts';

/** Changes besides availability. */
interface Change extends Because {
  readonly axis: ChangeLabels['axis'];
  readonly from: string;
  readonly to: string;
}

export class HealthRecorder {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #events: HealthEvents;
  readonly #folding = new SuspicionFolding();

  constructor(log: Logger, clock: Clock, events: HealthEvents) {
    this.#log = log;
    this.#clock = clock;
    this.#events = events;
  }

  /** Records an edge that was taken. Suspicions that repeat within a minute are only counted. */
  edge(health: EndpointHealth, taken: StateEdge): void {
    health.countChange(taken);
    const note = this.#folding.take(health.slot, taken, this.#clock.nowMs());
    if (note === null) return;
    const edge = note === '' ? taken : { ...taken, cause: `${taken.cause} (${note})` };
    const { outlier, settings } = health.state;
    const ejection = {
      lengthMs: outlier.untilMs - outlier.sinceMs,
      inRow: ejectionsInRow(outlier, this.#clock.nowMs(), settings.outlier),
    };
    const upstream = health.upstream.snapshot.name;
    const { usable } = health.upstream.census();
    const total = health.upstream.endpoints.size;
    const text = edgeLine({ endpoint: health.endpoint.name, upstream, edge, usable, total, ejection });
    const { axis, from, to, detector, cause } = edge;
    this.#note(health, { axis, from, to, detector, cause }, levelOf(edge, usable), text);
  }

  /** Drops what is kept of a slot: its endpoint is removed. */
  forget(slot: number): void {
    this.#folding.forget(slot);
  }

  /** Records that the operator changed a weight. */
  weight(health: EndpointHealth, from: number, cause: string): void {
    const change = { axis: 'weight', from: String(from), to: String(health.weight) } as const;
    // Counted without its value, which would make as many series as there are weights.
    health.countChange({ axis: 'weight', to: 'set', detector: 'operator' });
    const text = `has weight ${change.to} instead of ${change.from}: ${cause}`;
    this.#note(health, { ...change, detector: 'operator', cause }, 'info', `endpoint ${health.endpoint.name} ${text}`);
  }

  /** Logs that the operator's request has no effect for now, because the endpoint's own is stricter. */
  overruledWish(health: EndpointHealth, cause: string): void {
    const upstream = health.upstream.snapshot.name;
    const endpoint = health.endpoint.name;
    const { axes, wishes } = health.state;
    const text = `endpoint ${endpoint} stays in ${axes.admin}, as its agent requests: ${cause}`;
    this.#log.info({ upstream, endpoint, wishes, cause }, text);
  }

  /** Records that a slow start has begun or ended (`health.warming`). */
  slowStart(health: EndpointHealth, { detector, cause }: Because): void {
    const { name } = health.endpoint;
    const [from, to] = health.warming === null ? (['warming', 'none'] as const) : (['none', 'warming'] as const);
    const length = health.warming === null ? '' : durationWords(health.warming.untilMs - health.warming.startedMs);
    const text = to === 'warming' ? `warms up for ${length}` : 'is no longer warming up';
    health.countChange({ axis: 'slowStart', to, detector });
    this.#note(health, { axis: 'slowStart', from, to, detector, cause }, 'info', `endpoint ${name} ${text}: ${cause}`);
  }

  /** Records that an endpoint's share was reduced instead of an ejection, or restored (`health.overflow`). */
  overflow(health: EndpointHealth, { detector, cause }: Because): void {
    const { name } = health.endpoint;
    const isBegun = health.overflow !== null;
    const share = percentWords(health.shares.overflow);
    const [from, to] = isBegun ? (['full', 'reduced'] as const) : (['reduced', 'full'] as const);
    const text = isBegun ? `carries ${share} of its weight instead of being ejected` : 'carries its whole weight again';
    health.countChange({ axis: 'share', to, detector });
    const level = isBegun ? 'warn' : 'info';
    this.#note(health, { axis: 'share', from, to, detector, cause }, level, `endpoint ${name} ${text}: ${cause}`);
  }

  #note(health: EndpointHealth, change: Change, level: LogLevel, text: string): void {
    const upstream = health.upstream.snapshot.name;
    const endpoint = health.endpoint.name;
    const { availability } = health.state;
    this.#events.add({ at: this.#clock.wallMs(), upstream, endpoint, ...change, availability });
    this.#log[level]({ upstream, endpoint, availability, ...change }, text);
  }
}

function levelOf(edge: StateEdge, usable: number): LogLevel {
  if (edge.before === edge.after) return edge.axis === 'admin' ? 'info' : 'debug';
  if (isUsable(edge.before) && usable === 0) return 'error';
  const isGood = edge.after === 'up' || edge.after === 'halfOpen' || edge.axis === 'admin';
  return isGood ? 'info' : 'warn';
}
