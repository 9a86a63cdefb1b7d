// Ring of recent state changes, with subscribers. Thread: main.

import type { Availability } from '../../core/availability.ts';
import type { Because } from '../state/detector.ts';
import type { ChangeLabels } from '../state/endpoint-health.ts';

/** One state change. */
export interface HealthEvent extends Because {
  /** Wall-clock ms. */
  readonly at: number;
  readonly upstream: string;
  readonly endpoint: string;
  readonly axis: ChangeLabels['axis'];
  readonly from: string;
  readonly to: string;
  /** Availability after the change. */
  readonly availability: Availability;
}

export class HealthEvents {
  readonly #capacity: number;
  readonly #ring: HealthEvent[] = [];
  #oldest = 0;
  readonly #listeners = new Set<(event: HealthEvent) => void>();

  /** @param capacity how many events are kept. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(event: HealthEvent): void {
    if (this.#ring.length < this.#capacity) this.#ring.push(event);
    else {
      this.#ring[this.#oldest] = event;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    for (const listener of this.#listeners) listener(event);
  }

  /** Kept events, oldest first. */
  list(): HealthEvent[] {
    return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
  }

  /** Calls `listener` at every event from now on; the returned function ends that. Listeners must not throw. */
  subscribe(listener: (event: HealthEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
