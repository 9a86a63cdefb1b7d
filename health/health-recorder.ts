// Says each state change once: one event for the recorder, one line for the log. Thread: main.

import type { Clock } from '../core/clock.ts';
import { isUsable } from './ejection-limit.ts';
import type { EndpointHealth } from './endpoint-health.ts';
import type { StateEdge } from './endpoint-state.ts';
import type { HealthEvents } from './health-events.ts';
import type { HealthLog } from './health-log.ts';
import { edgeLine } from './health-words.ts';
import { ejectionsInRow } from './outlier-axis.ts';

export class HealthRecorder {
  readonly #log: HealthLog;
  readonly #clock: Clock;
  readonly #events: HealthEvents;

  constructor(log: HealthLog, clock: Clock, events: HealthEvents) {
    this.#log = log;
    this.#clock = clock;
    this.#events = events;
  }

  /** Records an edge that was taken. */
  edge(health: EndpointHealth, edge: StateEdge): void {
    const { axis, from, to, cause, after: availability } = edge;
    const upstream = health.upstream.snapshot.name;
    const endpoint = health.endpoint.name;
    this.#events.add({ at: this.#clock.wallMs(), upstream, endpoint, axis, from, to, cause, availability });
    const { outlier, settings } = health.state;
    const ejection = {
      lengthMs: outlier.untilMs - outlier.sinceMs,
      inRow: ejectionsInRow(outlier, this.#clock.nowMs(), settings.outlier),
    };
    const { usable } = health.upstream.census();
    const text = edgeLine({ endpoint, upstream, edge, usable, total: health.upstream.endpoints.size, ejection });
    this.#log[levelOf(edge, usable)]({ upstream, endpoint, axis, from, to, availability, cause }, text);
  }

  /** Records that the operator changed a weight. */
  weight(health: EndpointHealth, from: number, cause: string): void {
    const upstream = health.upstream.snapshot.name;
    const endpoint = health.endpoint.name;
    const { availability } = health.state;
    const change = { axis: 'weight', from: String(from), to: String(health.weight), cause } as const;
    this.#events.add({ at: this.#clock.wallMs(), upstream, endpoint, ...change, availability });
    const text = `endpoint ${endpoint} has weight ${change.to} instead of ${change.from}: ${cause}`;
    this.#log.info({ upstream, endpoint, ...change }, text);
  }
}

function levelOf(edge: StateEdge, usable: number): keyof HealthLog {
  if (edge.before === edge.after) return edge.axis === 'admin' ? 'info' : 'debug';
  if (isUsable(edge.before) && usable === 0) return 'error';
  const isGood = edge.after === 'up' || edge.after === 'halfOpen' || edge.axis === 'admin';
  return isGood ? 'info' : 'warn';
}
