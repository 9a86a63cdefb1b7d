// One coarse timer for all connections of a worker: each keeps stamps, and a sweep compares them (docs/algorithms.md 10:
// 13 us for 10,000 connections, against a timer a connection). Thread: worker.

import type { Clock } from '../../../core/clock.ts';
import type { Timers } from '../../../core/timers.ts';

/** Precision of idle limits. 250 ms is 2 % of the shortest one that anybody configures. */
export const SWEEP_INTERVAL_MS = 250;

/** Something that has limits to be looked at. */
export interface Swept {
  /** Looks at its stamps. May take itself out of the sweeper. @param nowMs monotonic */
  sweep(nowMs: number): void;
}

export class Sweeper {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #swept = new Set<Swept>();
  #isSet = false;

  constructor(clock: Clock, timers: Timers, intervalMs = SWEEP_INTERVAL_MS) {
    this.#clock = clock;
    this.#timers = timers;
    this.#intervalMs = intervalMs;
  }

  add(swept: Swept): void {
    this.#swept.add(swept);
    this.#set();
  }

  delete(swept: Swept): void {
    this.#swept.delete(swept);
  }

  /** Where there is nothing to look at, no timer is set either. */
  #set(): void {
    if (this.#isSet || this.#swept.size === 0) return;
    this.#isSet = true;
    this.#timers.after(this.#intervalMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#isSet = false;
    const nowMs = this.#clock.nowMs();
    for (const swept of this.#swept) swept.sweep(nowMs);
    this.#set();
  }
}
