// Views of endpoints on request: all of them, or why one is in its state. Thread: main.

import type { EndpointHealth, Moment } from '../state/endpoint-health.ts';
import { explain, type Explanation } from './endpoint-explanation.ts';
import { type EndpointView, viewEndpoint } from './endpoint-view.ts';
import type { HealthEvents } from './health-events.ts';

export interface HealthViewsParts {
  readonly roster: {
    readonly endpoints: Iterable<EndpointHealth>;
    byName(upstream: string, endpoint: string): EndpointHealth | undefined;
  };
  readonly publisher: { consecutiveFailures(slot: number): number };
  readonly heartbeats: { nextMs(slot: number): number | null };
  readonly events: Pick<HealthEvents, 'list'>;
}

export class HealthViews {
  readonly #parts: HealthViewsParts;

  constructor(parts: HealthViewsParts) {
    this.#parts = parts;
  }

  /** All endpoints in the order of their slots. */
  list(now: Moment): EndpointView[] {
    const views = Array.from(this.#parts.roster.endpoints, (health) => this.#view(health, now));
    return views.sort((a, b) => a.slot - b.slot);
  }

  /** Why an endpoint is in the state that it is in; null when there is no such endpoint. */
  explain(upstream: string, endpoint: string, now: Moment): Explanation | null {
    const health = this.#parts.roster.byName(upstream, endpoint);
    if (health === undefined) return null;
    return explain(health, now, this.#view(health, now), this.#parts.events.list());
  }

  #view(health: EndpointHealth, now: Moment): EndpointView {
    const { publisher, heartbeats } = this.#parts;
    return viewEndpoint(health, {
      ...now,
      consecutiveFailures: publisher.consecutiveFailures(health.slot),
      nextCheckMs: heartbeats.nextMs(health.slot),
    });
  }
}
