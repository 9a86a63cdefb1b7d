// Chooses the least loaded of all candidates, from a rotating start (docs/algorithms.md 1.2). Thread: both.

import type { Balancer, PickRequest } from '../core/balancer.ts';
import { randomBelow, type Random } from '../core/random.ts';
import type { CandidateTable } from './candidate-table.ts';
import { coprimeStep } from './coprime.ts';
import type { LoadMeasure } from './descriptor.ts';

/**
 * Compares all candidates. Among equals the first after the start wins, and the start advances by a step coprime to
 * their number, so that ties are spread evenly without random numbers. The start is the only state.
 *
 * Among equals, a request that can't be repeated takes the one with the most recent success. An endpoint that has just
 * failed is then nearly always found by a request that can be sent again.
 */
export class FullScan implements Balancer {
  readonly #table: CandidateTable;
  readonly #load: LoadMeasure;
  readonly #loads: Float64Array;
  readonly #step: number;
  #start: number;

  /** @param random gives the first start, so that workers don't begin at the same candidate. */
  constructor(table: CandidateTable, load: LoadMeasure, random: Random) {
    this.#table = table;
    this.#load = load;
    this.#loads = new Float64Array(table.size);
    this.#step = coprimeStep(table.size);
    this.#start = randomBelow(random, table.size);
  }

  pick(request: PickRequest): number {
    const table = this.#table;
    const loads = this.#loads;
    const size = loads.length;
    if (size === 0) return table.failure(request);
    this.#load.fill(loads, request.nowMs);
    this.#start = (this.#start + this.#step) % size;
    let best = -1;
    let bestLoad = Infinity;
    let index = this.#start;
    for (let seen = 0; seen < size; seen++) {
      const load = loads[index]!;
      // The expensive test comes last: only few candidates are better than all before.
      const isBetter = load < bestLoad || (load === bestLoad && !request.mayRetry && table.isFresher(index, best));
      if (isBetter && table.canTake(index, request)) {
        best = index;
        bestLoad = load;
      }
      index = index + 1 === size ? 0 : index + 1;
    }
    return best < 0 ? table.failure(request) : table.slots[best]!;
  }
}
