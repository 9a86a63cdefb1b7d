// One turn of the event loop as the fast path sees it: the clock is read once, and what was put together while bytes
// were handled goes out at its end, so that head and body leave in one write (docs/design.md 9). Thread: worker.

import type { Clock } from '../../core/clock.ts';

/** Whoever has something to write when the turn ends. */
export interface Flushable {
  flush(): void;
}

/** How often the wall clock is read. */
const WALL_READ_MS = 1000;

/**
 * Whoever handles an event of a socket calls `begin` first and `end` last; turns may lie within each other. One serves
 * all connections of a worker. As a clock it may lag by as long as the turn lasts: well under a millisecond.
 */
export class Turn implements Clock {
  readonly #clock: Clock;
  #depth = 0;
  /** Reading of the turn; 0 where none was taken yet. */
  #nowMs = 0;
  /** What the wall clock showed beyond the monotonic one when both were last read, and when that was. */
  #wallOffsetMs = 0;
  #wallReadMs = Number.NEGATIVE_INFINITY;
  readonly #due: (Flushable | null)[] = [];
  #dueCount = 0;
  /** What waits for the next turn. */
  #deferred: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(): void {
    if (this.#depth === 0) this.#nowMs = 0;
    this.#depth += 1;
  }

  end(): void {
    if (this.#depth === 1 && this.#dueCount > 0) this.#flushAll();
    this.#depth -= 1;
  }

  /** Flushes at the end of the turn; at once where there is none. */
  later(flushable: Flushable): void {
    if (this.#depth === 0) {
      flushable.flush();
      return;
    }
    this.#due[this.#dueCount] = flushable;
    this.#dueCount += 1;
  }

  /**
   * Runs something when the event loop has handled all events that it has seen already: all that asked for it since then
   * in one turn, so that what it makes due leaves together.
   */
  afterThis(run: () => void): void {
    this.#deferred.push(run);
    if (this.#deferred.length === 1) setImmediate(this.#runDeferred);
  }

  readonly #runDeferred = (): void => {
    const deferred = this.#deferred;
    this.#deferred = [];
    this.begin();
    for (const run of deferred) run();
    this.end();
  };

  nowMs(): number {
    if (this.#depth === 0) return this.#clock.nowMs();
    if (this.#nowMs === 0) this.#nowMs = this.#clock.nowMs();
    return this.#nowMs;
  }

  /** Follows a step of the wall clock within a second. */
  wallMs(): number {
    const nowMs = this.nowMs();
    if (nowMs - this.#wallReadMs > WALL_READ_MS) {
      this.#wallReadMs = nowMs;
      this.#wallOffsetMs = this.#clock.wallMs() - nowMs;
    }
    return nowMs + this.#wallOffsetMs;
  }

  /** What is flushed may make others due: they follow in the same turn. */
  #flushAll(): void {
    for (let index = 0; index < this.#dueCount; index += 1) {
      const flushable = this.#due[index]!;
      this.#due[index] = null;
      flushable.flush();
    }
    this.#dueCount = 0;
  }
}
