// Sees that nothing moved for a time, at the cost of one store per movement. Thread: worker.

import type { TimerHandle, Timers } from '../../../core/timers.ts';

/** Looks this often in the time: it is noticed at most a quarter of it late. */
const CHECKS = 4;

export class IdleWatch {
  readonly #timers: Timers;
  readonly #stepMs: number;
  readonly #onIdle: () => void;
  #timer: TimerHandle | null = null;
  #quietChecks = 0;

  /** @param idleMs 0 is for ever */
  constructor(timers: Timers, idleMs: number, onIdle: () => void) {
    this.#timers = timers;
    this.#stepMs = Math.ceil(idleMs / CHECKS);
    this.#onIdle = onIdle;
    if (idleMs > 0) this.#arm();
  }

  /** Something moved. */
  touch(): void {
    this.#quietChecks = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#timers.after(this.#stepMs, () => {
      this.#quietChecks += 1;
      // What moved just before the first check has been quiet for one step less.
      if (this.#quietChecks > CHECKS) this.#onIdle();
      else this.#arm();
    });
  }
}
