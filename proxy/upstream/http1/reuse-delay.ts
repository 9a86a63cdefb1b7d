// Tells connections that have just become free when they have been so for a moment. Thread: worker.

import { type TimerWheel, WheelTimer } from '../../../core/timer-wheel.ts';
import type { Turn } from '../../wire/turn.ts';

/** Who waits. */
export interface Freed {
  /** At least one tick of the wheel has passed since it was added. */
  rested(): void;
}

/**
 * A connection rests for a tick or two of the wheel: an endpoint that closes behind its response without having said
 * so, or sends more than it announced, is found out before the next request is on the wire. One serves all connections
 * of a worker, with one timer.
 */
export class ReuseDelay {
  readonly #wheel: TimerWheel;
  readonly #turn: Turn;
  readonly #timer: WheelTimer = new WheelTimer(() => this.#ticked());
  /** Freed since the last tick, and before it. */
  #fresh: Freed[] = [];
  #older: Freed[] = [];

  constructor(wheel: TimerWheel, turn: Turn) {
    this.#wheel = wheel;
    this.#turn = turn;
  }

  add(freed: Freed): void {
    this.#fresh.push(freed);
    if (!this.#timer.isArmed()) this.#arm();
  }

  #arm(): void {
    this.#wheel.arm(this.#timer, this.#wheel.tickMs, this.#turn.nowMs());
  }

  #ticked(): void {
    const rested = this.#older;
    this.#older = this.#fresh;
    this.#fresh = [];
    for (const freed of rested) freed.rested();
    if (this.#older.length > 0) this.#arm();
  }
}
