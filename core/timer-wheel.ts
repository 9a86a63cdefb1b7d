// One coarse timer wheel a worker instead of a timer a socket (docs/design.md 9). Arming and cancelling are a few
// pointer writes; precision is one tick. Thread: both.

/** Something that can be armed on a wheel. Embed one per purpose; it is reused for ever. */
export class WheelTimer {
  /** Called when the time is over; the timer is idle again by then. */
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

/** Slots of the wheel; what lies further ahead than TICK_MS * SLOTS stays in its slot for another round. */
const SLOTS = 512;

/** Fires timers when `advance` is called; who drives it decides the precision. */
export class TimerWheel {
  readonly tickMs: number;
  readonly #heads: WheelTimer[];
  #tick: number;
  #armed = 0;

  /**
   * @param tickMs length of a slot in ms: timers fire up to one tick late, never early.
   * @param nowMs monotonic ms at which the wheel begins.
   */
  constructor(tickMs: number, nowMs: number) {
    this.tickMs = tickMs;
    this.#tick = Math.floor(nowMs / tickMs);
    this.#heads = Array.from({ length: SLOTS }, () => listHead());
  }

  /** How many timers are armed. */
  get armedCount(): number {
    return this.#armed;
  }

  /** Arms `timer` to fire `delayMs` after `nowMs`; re-arms it where it was armed. */
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

  /** Disarms `timer`; does nothing where it is idle. */
  cancel(timer: WheelTimer): void {
    if (timer.next === null) return;
    timer.previous!.next = timer.next;
    timer.next.previous = timer.previous;
    timer.next = null;
    timer.previous = null;
    this.#armed--;
  }

  /** Fires everything that is due at `nowMs`. A timer may arm and cancel others while it fires. */
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
      if (timer.next === null || timer.deadlineMs > nowMs) continue; // cancelled or re-armed by an earlier one
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
