// One coarse timer for all connections of a worker: each records timestamps, and a sweep compares them (docs/algorithms.md
// 10: 13 us for 10,000 connections, less than a timer per connection). Thread: worker.

import type { Clock } from '../../../core/clock.ts';
import type { Timers } from '../../../core/timers.ts';

/** Precision of idle limits: 2 % of the shortest practical one. */
const SWEEP_INTERVAL_MS = 250;

/** An object with idle limits. */
export interface Swept {
  /** Compares its timestamps. May remove itself from the sweeper. @param nowMs monotonic */
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

  /** Arms the timer unless nothing is registered. */
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
