// Balancer `first`: fills one endpoint to its limit before the next, in configured order. It needs limits, and saves
// machines: those after the last one in use can be switched off. Thread: both.

import type { Balancer, PickRequest } from '../core/balancer.ts';
import { FULL_FACTOR } from '../core/memory/layout.ts';
import type { Random } from '../core/random.ts';
import { CandidateTable } from './candidate-table.ts';
import { defineBalancer, noOptions } from './descriptor.ts';

class FirstBalancer implements Balancer {
  readonly #table: CandidateTable;
  readonly #random: Random;

  constructor(table: CandidateTable, random: Random) {
    this.#table = table;
    this.#random = random;
  }

  /** A candidate whose factor is below 1 is skipped with the remaining probability, if another one can take the request. */
  pick(request: PickRequest): number {
    const table = this.#table;
    let passedOver = -1;
    for (let index = 0; index < table.size; index++) {
      if (!table.canTake(index, request)) continue;
      const factor = table.factor(index);
      if (factor >= FULL_FACTOR || this.#random.next() * FULL_FACTOR < factor) return table.slots[index]!;
      if (passedOver < 0 && factor > 0) passedOver = index;
    }
    return passedOver < 0 ? table.failure(request) : table.slots[passedOver]!;
  }
}

export const first = defineBalancer({
  name: 'first',
  options: noOptions,
  compile: () => ({}),
  build: (_settings, candidates, context) =>
    new FirstBalancer(new CandidateTable(candidates.usable, context.region), context.random),
  because: () => 'the first in configured order that has room',
});
