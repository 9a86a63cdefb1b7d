// A clock and timers controlled by the test: time advances only on request. Thread: both.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';

interface PendingTimer {
  readonly dueMs: number;
  /** Order of creation, in which timers with the same due time fire. */
  readonly order: number;
  readonly fire: () => void;
}

/**
 * Clock and timers. `advance` acts like an idle event loop: every timer fires exactly when due. `stall` acts like a busy
 * one: time passes, and timers that became due fire late.
 */
export class FakeClock implements Clock, Timers {
  #nowMs: number;
  #wallOffsetMs: number;
  #order = 0;
  /** Sorted, the next one last. */
  readonly #pending: PendingTimer[] = [];

  /** @param wallStartMs wall-clock time at which `nowMs` is 0. */
  constructor(startMs = 0, wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
    this.#wallOffsetMs = wallStartMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  /** Number of timers that have neither fired nor been cancelled. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Due time of the next timer, or Infinity. */
  get nextDueMs(): number {
    return this.#pending.at(-1)?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  after(delayMs: number, fire: () => void): TimerHandle {
    const timer: PendingTimer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#pending.splice(this.#placeOf(timer), 0, timer);
    return { cancel: () => this.#remove(timer) };
  }

  /** Advances by `durationMs` and fires due timers in order, each at its due time. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    while (this.#fireNext(endMs));
    this.#nowMs = endMs;
  }

  /** Like `advance`, and runs promises and I/O after each timer and at the end. */
  async advanceTurns(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await nextTurn();
    while (this.#fireNext(endMs)) await nextTurn();
    this.#nowMs = endMs;
  }

  /** Advances by `durationMs` without firing, then fires all due timers: a busy event loop. */
  stall(durationMs: number): void {
    this.#nowMs += durationMs;
    this.advance(0);
  }

  /** Steps only the wall clock, as an administrator or a time service does. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  #fireNext(endMs: number): boolean {
    const next = this.#pending.at(-1);
    if (next === undefined || next.dueMs > endMs) return false;
    this.#pending.pop();
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.fire();
    return true;
  }

  #placeOf(timer: PendingTimer): number {
    let low = 0;
    let high = this.#pending.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isAfter(this.#pending[middle]!, timer)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(timer: PendingTimer): void {
    const place = this.#placeOf(timer);
    if (this.#pending[place] === timer) this.#pending.splice(place, 1);
  }
}

function isAfter(a: PendingTimer, b: PendingTimer): boolean {
  return a.dueMs === b.dueMs ? a.order > b.order : a.dueMs > b.dueMs;
}
