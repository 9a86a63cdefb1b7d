// Chooses the least loaded of all candidates, from a rotating start (docs/algorithms.md 1.2). Thread: both.

import type { Balancer, PickRequest } from '../core/balancer.ts';
import { randomBelow, type Random } from '../core/random.ts';
import type { CandidateTable } from './candidate-table.ts';
import { coprimeStep } from './coprime.ts';
import type { LoadMeasure } from './descriptor.ts';

/**
 * Looks at every candidate. Of equals the first after the start wins, and the start moves by a step that is coprime
 * to their number, so that ties are spread evenly without drawing numbers. The start is the only thing that moves.
 *
 * Of equals, a request that may not be repeated takes the one whose last good answer is the youngest: who meets an
 * endpoint that has just failed is then nearly always a request that can be sent again.
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
      // In this order the costlier question is asked of the few that are better than all before.
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
