// Waits for the first reports of what has just been started: sources before a reload, providers before the first
// configuration. Thread: main.

import type { Timers } from '../core/timers.ts';

export class FirstReports {
  #onReport: (() => void) | null = null;

  /** A source or provider has reported a set or a failure. */
  reported(): void {
    this.#onReport?.();
  }

  /** Resolves when each of them has reported, or after the limit. @param isDone whether all have reported */
  async wait(isDone: () => boolean, timers: Timers, limitMs: number): Promise<void> {
    if (isDone()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const limit = timers.after(limitMs, resolve);
    this.#onReport = () => isDone() && resolve();
    await promise;
    limit.cancel();
    this.#onReport = null;
  }
}
