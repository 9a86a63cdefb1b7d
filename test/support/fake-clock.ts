// A clock and timers that a test drives by hand: time stands still until it is advanced. Thread: both.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';

interface PendingTimer {
  readonly dueMs: number;
  /** Order of setting, so that timers of the same due time fire in it. */
  readonly order: number;
  readonly fire: () => void;
}

/**
 * Clock and timers in one. `advance` plays time as an idle event loop would: every timer fires exactly when due.
 * `stall` plays a busy one: time passes, and what became due fires late.
 */
export class FakeClock implements Clock, Timers {
  #nowMs: number;
  #wallOffsetMs: number;
  #order = 0;
  /** Sorted, the next one last. */
  readonly #pending: PendingTimer[] = [];

  /** @param wallStartMs what the wall clock shows when `nowMs` is 0. */
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

  /** How many timers are set and neither fired nor cancelled. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** When the next timer is due, or Infinity. */
  get nextDueMs(): number {
    return this.#pending.at(-1)?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  after(delayMs: number, fire: () => void): TimerHandle {
    const timer: PendingTimer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#pending.splice(this.#placeOf(timer), 0, timer);
    return { cancel: () => this.#remove(timer) };
  }

  /** Lets `durationMs` pass and fires what becomes due, in order, each at its due time. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    while (this.#fireNext(endMs));
    this.#nowMs = endMs;
  }

  /** As `advance`, and gives promises and I/O a turn after each timer and at the end. */
  async advanceTurns(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await nextTurn();
    while (this.#fireNext(endMs)) await nextTurn();
    this.#nowMs = endMs;
  }

  /** Lets `durationMs` pass without firing anything, then fires all that is due: an event loop that was busy. */
  stall(durationMs: number): void {
    this.#nowMs += durationMs;
    this.advance(0);
  }

  /** Steps the wall clock alone, as an administrator or a time service does. */
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
