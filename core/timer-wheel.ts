// Timer wheel: one coarse wheel per worker instead of one timer per socket (docs/design.md 9). Arming and cancelling are a few
// pointer writes; precision is one tick. Thread: both.

import type { Clock } from './clock.ts';
import type { Timers } from './timers.ts';

/** A timer on a wheel. Embedded in its owner, one per purpose, and reused. */
export class WheelTimer {
  /** Called on expiry, after the timer has been disarmed. */
  readonly fire: () => void;
  deadlineMs = 0;
  next: WheelTimer | null = null;
  previous: WheelTimer | null = null;

  constructor(fire: () => void) {
    this.fire = fire;
  }

  isArmed(): boolean {
    return this.next !== null;
  }
}

/** Timers on a wheel, for code outside the hot path. */
export function wheelTimers(wheel: TimerWheel, clock: Clock): Timers {
  return {
    after(delayMs, fire) {
      const timer = new WheelTimer(fire);
      wheel.arm(timer, delayMs, clock.nowMs());
      return { cancel: () => wheel.cancel(timer) };
    },
  };
}

/** Slots of the wheel; a timer due later than tickMs * SLOTS stays in its slot for another round. */
const SLOTS = 512;

/** Fires timers when `advance` is called; the caller's interval sets the precision. */
export class TimerWheel {
  readonly tickMs: number;
  readonly #heads: WheelTimer[];
  #tick: number;
  #armed = 0;

  /**
   * @param tickMs length of a slot in ms: timers fire up to one tick late, never early
   * @param nowMs monotonic ms at which the wheel starts
   */
  constructor(tickMs: number, nowMs: number) {
    this.tickMs = tickMs;
    this.#tick = Math.floor(nowMs / tickMs);
    this.#heads = Array.from({ length: SLOTS }, () => listHead());
  }

  /** Number of armed timers. */
  get armedCount(): number {
    return this.#armed;
  }

  /** Arms `timer` to fire `delayMs` after `nowMs`; rearms it if it is armed. */
  arm(timer: WheelTimer, delayMs: number, nowMs: number): void {
    if (timer.next !== null) this.cancel(timer);
    timer.deadlineMs = nowMs + delayMs;
    const due = Math.max(this.#tick + 1, Math.ceil(timer.deadlineMs / this.tickMs));
    const head = this.#heads[due % SLOTS]!;
    timer.previous = head.previous;
    timer.next = head;
    head.previous!.next = timer;
    head.previous = timer;
    this.#armed++;
  }

  /** Disarms `timer`; no-op if it is not armed. */
  cancel(timer: WheelTimer): void {
    if (timer.next === null) return;
    timer.previous!.next = timer.next;
    timer.next.previous = timer.previous;
    timer.next = null;
    timer.previous = null;
    this.#armed--;
  }

  /** Fires every timer that is due at `nowMs`. A firing timer may arm and cancel others. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs / this.tickMs);
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick++;
      this.#fireSlot(this.#heads[this.#tick % SLOTS]!, nowMs);
    }
  }

  #fireSlot(head: WheelTimer, nowMs: number): void {
    const due: WheelTimer[] = [];
    for (let timer = head.next!; timer !== head; timer = timer.next!) if (timer.deadlineMs <= nowMs) due.push(timer);
    for (const timer of due) {
      if (timer.next === null || timer.deadlineMs > nowMs) continue; // cancelled or rearmed by an earlier one
      this.cancel(timer);
      timer.fire();
    }
  }
}

function listHead(): WheelTimer {
  const head = new WheelTimer(() => undefined);
  head.next = head;
  head.previous = head;
  return head;
}
