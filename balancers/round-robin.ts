// Balancer `round-robin`: smooth and weighted, strictly in order over all workers (docs/design.md 1.5). Thread: both.

import type { Balancer, PickRequest } from '../core/balancer.ts';
import { FULL_FACTOR, UPSTREAM } from '../core/memory/layout.ts';
import { mix32 } from '../core/murmur.ts';
import { CandidateTable } from './candidate-table.ts';
import { defineBalancer, noOptions } from './descriptor.ts';
import { scheduleFor, type Schedule } from './schedule.ts';

/** Most turns of the cursor in one pick, and most places searched after a busy one. */
const TURNS_MAX = 64;
const PLACES_MAX = 4096;
const GOLDEN_WORD = 0x9e3779b9;
const NOBODY = -1;

/**
 * One atomic cursor in the upstream's record counts the places of the schedule for all workers. A place that its
 * candidate's factor rejects is skipped by another turn of the cursor, so that no other candidate gains it; a candidate
 * that is busy or tried is replaced by the next one in the schedule, and the cursor stays.
 */
class RoundRobin implements Balancer {
  readonly #table: CandidateTable;
  readonly #schedule: Schedule;
  readonly #cursor: number;

  constructor(table: CandidateTable, schedule: Schedule, cursor: number) {
    this.#table = table;
    this.#schedule = schedule;
    this.#cursor = cursor;
  }

  pick(request: PickRequest): number {
    const period = this.#schedule.period;
    let place = 0;
    let round = 0;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const count = Atomics.add(this.#table.words, this.#cursor, 1) >>> 0;
      place = count % period;
      round = Math.floor(count / period);
      if (this.#isAccepted(this.#schedule.indexAt(place), place, round)) break;
    }
    const index = this.#from(place, round, request);
    return index === NOBODY ? this.#table.failure(request) : this.#table.slots[index]!;
  }

  /**
   * Whether a place is used in this round. Each place has its own golden-section sequence over the rounds, which accepts
   * the factor's share of them, evenly spaced and identical in every worker.
   */
  #isAccepted(index: number, place: number, round: number): boolean {
    const factor = this.#table.factor(index);
    if (factor >= FULL_FACTOR) return true;
    return (Math.imul(round, GOLDEN_WORD) + mix32(place)) >>> 0 < factor * FULL_FACTOR;
  }

  /** The first candidate from `place` on that can take the request, preferably in a place that its factor accepts. */
  #from(place: number, round: number, request: PickRequest): number {
    const schedule = this.#schedule;
    let declined = NOBODY;
    for (let step = 0; step < Math.min(schedule.period, PLACES_MAX); step++) {
      const at = (place + step) % schedule.period;
      const index = schedule.indexAt(at);
      if (!this.#table.canTake(index, request)) continue;
      if (this.#isAccepted(index, at, round)) return index;
      if (declined === NOBODY && this.#table.factor(index) > 0) declined = index;
    }
    return declined === NOBODY && schedule.period > PLACES_MAX ? this.#anyone(request) : declined;
  }

  #anyone(request: PickRequest): number {
    for (let index = 0; index < this.#table.size; index++) {
      if (this.#table.canTake(index, request) && this.#table.factor(index) > 0) return index;
    }
    return NOBODY;
  }
}

export const roundRobin = defineBalancer({
  name: 'round-robin',
  options: noOptions,
  compile: () => ({}),
  build: (_settings, candidates, { region, upstreamIndex }) => {
    const table = new CandidateTable(candidates.usable, region);
    if (table.size === 0) return { pick: (request) => table.failure(request) };
    const cursor = region.upstreamWord(upstreamIndex) + UPSTREAM.roundRobinCursor.index;
    return new RoundRobin(table, scheduleFor(table.weights), cursor);
  },
  because: () => 'its turn in the order of weights',
});
