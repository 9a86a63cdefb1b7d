// Balancer `least-request`, the default: fewest requests in flight per weight, exact over all workers (docs/algorithms.md 1.2).
// Under it a weight means capacity, not share: at low load a light endpoint beside heavy ones gets next to nothing.
// Thread: both.

import { E_FACTOR, E_INFLIGHT } from '../core/memory/layout.ts';
import { leastLoaded } from './best-of-three.ts';
import type { CandidateTable } from './candidate-table.ts';
import { defineBalancer, type LoadMeasure, noOptions } from './descriptor.ts';

/**
 * (in-flight + 1) / (weight * factor), the shortest expected delay of Linux IPVS. A quotient of two integers below
 * 2^53 is correctly rounded, so that equal loads compare equal.
 */
class InflightPerCapacity implements LoadMeasure {
  readonly #words: Int32Array;
  readonly #places: Int32Array;
  readonly #weights: Float64Array;

  constructor(table: CandidateTable) {
    this.#words = table.words;
    this.#places = table.places;
    this.#weights = table.weights;
  }

  of(index: number): number {
    const place = this.#places[index]!;
    return (this.#words[place + E_INFLIGHT]! + 1) / (this.#weights[index]! * this.#words[place + E_FACTOR]!);
  }

  fill(loads: Float64Array): void {
    const words = this.#words;
    const places = this.#places;
    const weights = this.#weights;
    for (let index = 0; index < loads.length; index++) {
      const place = places[index]!;
      loads[index] = (words[place + E_INFLIGHT]! + 1) / (weights[index]! * words[place + E_FACTOR]!);
    }
  }
}

export const leastRequest = defineBalancer({
  name: 'least-request',
  options: noOptions,
  compile: () => ({}),
  build: (_settings, candidates, context) =>
    leastLoaded(candidates.usable, context, (table) => new InflightPerCapacity(table)),
  load: () => (table) => new InflightPerCapacity(table),
  because: () => 'fewest requests in flight for its weight',
});
