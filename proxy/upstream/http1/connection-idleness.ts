// The idle time of one connection: the delay before reuse, and the keep-alive timeout. Thread: worker.

import { type TimerWheel, WheelTimer } from '../../../core/timer-wheel.ts';
import type { Turn } from '../../wire/turn.ts';
import type { Freed, ReuseDelay } from './reuse-delay.ts';

/** A connection that becomes idle. */
export interface IdleOwner {
  readonly isIdle: boolean;
  /** The delay before reuse has passed. */
  onReusable(): void;
  /** The keep-alive time has passed. */
  onKeepAliveTimeout(): void;
}

export class ConnectionIdleness implements Freed {
  readonly #wheel: TimerWheel;
  readonly #turn: Turn;
  readonly #reuse: ReuseDelay;
  readonly #owner: IdleOwner;
  readonly #timer: WheelTimer;
  #sinceMs = 0;
  #untilMs = 0;
  #pendingDelays = 0;

  constructor(wheel: TimerWheel, turn: Turn, reuse: ReuseDelay, owner: IdleOwner) {
    this.#wheel = wheel;
    this.#turn = turn;
    this.#reuse = reuse;
    this.#owner = owner;
    this.#timer = new WheelTimer(() => this.#timeout());
  }

  /** How long the connection has been idle, in ms. Only while it is. */
  get idleMs(): number {
    return this.#turn.nowMs() - this.#sinceMs;
  }

  /** The connection becomes idle now. */
  begin(keepAliveMs: number): void {
    this.#sinceMs = this.#turn.nowMs();
    this.#untilMs = this.#sinceMs + keepAliveMs;
    if (!this.#timer.isArmed()) this.#arm(keepAliveMs);
    this.#pendingDelays += 1;
    this.#reuse.add(this);
  }

  stop(): void {
    this.#wheel.cancel(this.#timer);
  }

  /** Called once per `begin`: only the last delay counts. */
  onReuseDelayOver(): void {
    this.#pendingDelays -= 1;
    if (this.#pendingDelays === 0 && this.#owner.isIdle) this.#owner.onReusable();
  }

  #arm(delayMs: number): void {
    this.#wheel.arm(this.#timer, delayMs, this.#turn.nowMs());
  }

  /** Armed once for many requests: checks whether the connection has been idle for the whole time. */
  #timeout(): void {
    if (!this.#owner.isIdle) return;
    const leftMs = this.#untilMs - this.#turn.nowMs();
    if (leftMs > 0) this.#arm(leftMs);
    else this.#owner.onKeepAliveTimeout();
  }
}
