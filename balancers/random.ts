// Balancer `random`: draws by weight, one or the better of two (docs/algorithms.md 1.2, random(d)). Thread: both.

import type { Balancer, PickRequest } from '../core/balancer.ts';
import { FULL_FACTOR } from '../core/memory/layout.ts';
import type { Random } from '../core/random.ts';
import { AliasTable } from './alias-table.ts';
import { CandidateTable } from './candidate-table.ts';
import { defineBalancer } from './descriptor.ts';

/** Rejected draws before the exact scan: enough to make it rare, few enough for a full upstream to fail quickly. */
const DRAWS = 4;
const NOBODY = -1;

/**
 * Probabilities are exactly in proportion to weight times factor among those that can take the request: a draw by
 * weight is accepted with the factor's probability, and the scan that follows rejected draws has the same proportions.
 */
class RandomBalancer implements Balancer {
  readonly #table: CandidateTable;
  readonly #random: Random;
  readonly #aliases: AliasTable | null;
  readonly #choices: 1 | 2;

  constructor(table: CandidateTable, random: Random, choices: 1 | 2) {
    this.#table = table;
    this.#random = random;
    this.#aliases = table.size > 0 ? new AliasTable(table.weights) : null;
    this.#choices = choices;
  }

  pick(request: PickRequest): number {
    const first = this.#draw(request, NOBODY);
    if (first === NOBODY) return this.#table.failure(request);
    if (this.#choices === 1) return this.#table.slots[first]!;
    const second = this.#draw(request, first);
    return this.#table.slots[second !== NOBODY && this.#isLessLoaded(second, first) ? second : first]!;
  }

  /** Draws a candidate other than `except`. */
  #draw(request: PickRequest, except: number): number {
    if (this.#aliases === null) return NOBODY;
    for (let draw = 0; draw < DRAWS; draw++) {
      const index = this.#aliases.draw(this.#random);
      if (index !== except && this.#table.canTake(index, request) && this.#isAccepted(index)) return index;
    }
    return this.#drawByScan(request, except);
  }

  #isAccepted(index: number): boolean {
    const factor = this.#table.factor(index);
    return factor >= FULL_FACTOR || this.#random.next() * FULL_FACTOR < factor;
  }

  #drawByScan(request: PickRequest, except: number): number {
    const table = this.#table;
    let total = 0;
    for (let index = 0; index < table.size; index++) {
      if (index !== except && table.canTake(index, request)) total += table.capacity(index);
    }
    let point = this.#random.next() * total;
    let last = NOBODY;
    for (let index = 0; index < table.size; index++) {
      if (index === except || !table.canTake(index, request) || table.factor(index) <= 0) continue;
      last = index;
      point -= table.capacity(index);
      if (point < 0) break;
    }
    return last;
  }

  /** Compares in-flight per capacity by cross products; a tie keeps the first draw, which preserves the weights. */
  #isLessLoaded(a: number, b: number): boolean {
    const table = this.#table;
    return table.inflight(a) * table.capacity(b) < table.inflight(b) * table.capacity(a);
  }
}

export const random = defineBalancer({
  name: 'random',
  options: ({ z }) => ({
    choices: z
      .literal([1, 2])
      .default(1)
      .describe('With `random`: `2` draws two endpoints and takes the one with less in flight.'),
  }),
  compile: ({ choices }) => ({ choices }),
  build: ({ choices }, candidates, context) =>
    new RandomBalancer(new CandidateTable(candidates.usable, context.region), context.random, choices),
  because: ({ choices }) => (choices === 1 ? 'drawn by weight' : 'the less loaded of two that are drawn by weight'),
});
