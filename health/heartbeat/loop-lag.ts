// Measures how late our own event loop was while a heartbeat ran: its answer may have lain in the socket while we were
// busy, and that isn't the endpoint's fault. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';

/** Fine enough for the shortest sensible timeout (a stall is seen to within this), and no load: 50 a second. */
const TICK_MS = 20;

/** A stretch of time that is being watched. */
export interface LagWatch {
  /** The longest stall since the watch began, in ms: one that is not over counts too. */
  worstMs(): number;
  /** Ends the watch. */
  end(): void;
}

interface Watched {
  readonly sinceMs: number;
  worstMs: number;
}

/** Ticks only while somebody watches. */
export class LoopLag {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #watched = new Set<Watched>();
  #tick: TimerHandle | null = null;
  #dueMs = 0;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  watch(): LagWatch {
    const watched: Watched = { sinceMs: this.#clock.nowMs(), worstMs: 0 };
    this.#watched.add(watched);
    if (this.#tick === null) this.#setTick();
    return {
      worstMs: () => {
        this.#note(watched);
        return watched.worstMs;
      },
      end: () => {
        this.#watched.delete(watched);
        if (this.#watched.size > 0) return;
        this.#tick?.cancel();
        this.#tick = null;
      },
    };
  }

  #setTick(): void {
    this.#dueMs = this.#clock.nowMs() + TICK_MS;
    this.#tick = this.#timers.after(TICK_MS, () => {
      for (const watched of this.#watched) this.#note(watched);
      this.#setTick();
    });
  }

  #note(watched: Watched): void {
    const lateMs = this.#clock.nowMs() - Math.max(this.#dueMs, watched.sinceMs);
    watched.worstMs = Math.max(watched.worstMs, lateMs);
  }
}
