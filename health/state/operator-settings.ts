// States and weights that operators set for endpoints. Thread: main.

import type { Admin } from '../../core/availability.ts';
import type { Clock } from '../../core/clock.ts';
import type { EndpointHealth } from './endpoint-health.ts';

const MAX_WEIGHT = 256;

export interface OperatorSettingsParts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly roster: { byName(upstream: string, endpoint: string): EndpointHealth | undefined };
  readonly heartbeats: { reschedule(slot: number): void };
  readonly recorder: {
    overruledWish(health: EndpointHealth, cause: string): void;
    weight(health: EndpointHealth, from: number, cause: string): void;
  };
  readonly publishTerms: (health: EndpointHealth) => void;
}

export class OperatorSettings {
  readonly #parts: OperatorSettingsParts;
  /** States of endpoints that are about to be added, by name. */
  readonly #awaited = new Map<string, { readonly admin: Admin; readonly who: string }>();

  constructor(parts: OperatorSettingsParts) {
    this.#parts = parts;
  }

  /** Returns false when there is no such endpoint. */
  setAdmin(upstream: string, endpoint: string, admin: Admin, who: string): boolean {
    const { roster, clock, recorder, heartbeats } = this.#parts;
    const health = roster.byName(upstream, endpoint);
    if (health === undefined) return false;
    const { operator } = health.state.wishes;
    const because = { detector: 'operator', cause: `set to ${admin} by ${who}` } as const;
    const before = health.state.axes.admin;
    health.state.setAdmin(admin, clock.nowMs(), because);
    if (operator !== admin && before === health.state.axes.admin) recorder.overruledWish(health, because.cause);
    // Heartbeats follow the operator's request even if the endpoint's own is stricter and no state changes.
    heartbeats.reschedule(health.slot);
    return true;
  }

  /** Gives an endpoint a state before it is added. The returned function withdraws it. */
  await(name: string, admin: Admin, who: string): () => void {
    const state = { admin, who };
    this.#awaited.set(name, state);
    return () => {
      if (this.#awaited.get(name) === state) this.#awaited.delete(name);
    };
  }

  /** Sets the state of an endpoint that was added, where one was given before. */
  admit(health: EndpointHealth): void {
    const { name } = health.endpoint;
    const state = this.#awaited.get(name);
    if (state === undefined) return;
    this.#awaited.delete(name);
    health.isCold = state.admin !== 'ready';
    this.setAdmin(health.upstream.snapshot.name, name, state.admin, state.who);
  }

  /** Returns false when there is no such endpoint. @throws RangeError for a weight that isn't one */
  setWeight(upstream: string, endpoint: string, weight: number, who: string): boolean {
    assertWeight(weight);
    const { roster, recorder, publishTerms } = this.#parts;
    const health = roster.byName(upstream, endpoint);
    if (health === undefined) return false;
    const from = health.weight;
    if (from === weight) return true;
    health.weight = weight;
    publishTerms(health);
    recorder.weight(health, from, `set to ${weight} by ${who}`);
    return true;
  }
}

function assertWeight(weight: number): void {
  if (Number.isInteger(weight) && weight >= 1 && weight <= MAX_WEIGHT) return;
  throw new RangeError(`a weight is a whole number from 1 to ${MAX_WEIGHT}, not ${weight}`);
}
