// One turn of the event loop: the clock is read once, and output is written at the end, so that head and body leave in
// one write (docs/design.md, section 9). Thread: worker.

import type { Clock } from '../../core/clock.ts';

/** A connection with output to write at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** Interval between readings of the wall clock. */
const WALL_READ_MS = 1000;

/**
 * A socket's event handler calls `begin` first and `end` last; turns may be nested. One object serves all connections of
 * a worker. As a clock it lags by at most the length of the turn: well under a millisecond.
 */
export class Turn implements Clock {
  readonly #clock: Clock;
  #depth = 0;
  /** The turn's reading of the clock; 0 before it was read. */
  #nowMs = 0;
  /** Wall clock minus monotonic clock at the last reading of both, and the time of that reading. */
  #wallOffsetMs = 0;
  #wallReadMs = Number.NEGATIVE_INFINITY;
  readonly #due: (Flushable | null)[] = [];
  #dueCount = 0;
  /** Callbacks deferred to the next turn. */
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

  /** Flushes at the end of the turn; at once outside of a turn. */
  later(flushable: Flushable): void {
    if (this.#depth === 0) {
      flushable.flush();
      return;
    }
    this.#due[this.#dueCount] = flushable;
    this.#dueCount += 1;
  }

  /**
   * Runs a callback after the event loop has handled the events that it has already polled. All deferred callbacks run in
   * one turn, so that their output leaves together.
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

  /** A flush may add others: they follow in the same turn. */
  #flushAll(): void {
    for (let index = 0; index < this.#dueCount; index += 1) {
      const flushable = this.#due[index]!;
      this.#due[index] = null;
      flushable.flush();
    }
    this.#dueCount = 0;
  }
}
