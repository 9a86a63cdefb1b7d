// Delays the reuse of connections that have just become free. Thread: worker.

import { type TimerWheel, WheelTimer } from '../../../core/timer-wheel.ts';
import type { Turn } from '../../wire/turn.ts';

/** A freed connection. */
export interface Freed {
  /** At least one tick of the wheel has passed since the connection was added. */
  onReuseDelayOver(): void;
}

/**
 * A freed connection waits for one or two ticks of the wheel: an endpoint that closes after a response without having
 * announced it, or sends more than the response, is found out before the next request is written. One object and one
 * timer serve all connections of a worker.
 */
export class ReuseDelay {
  readonly #wheel: TimerWheel;
  readonly #turn: Turn;
  readonly #timer: WheelTimer = new WheelTimer(() => this.#tick());
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

  #tick(): void {
    const due = this.#older;
    this.#older = this.#fresh;
    this.#fresh = [];
    for (const freed of due) freed.onReuseDelayOver();
    if (this.#older.length > 0) this.#arm();
  }
}
