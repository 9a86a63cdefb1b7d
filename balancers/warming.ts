// Slow start for balancers that compare loads (docs/algorithms.md 2.2). Thread: both.
//
// A share of a weight divides an endpoint's capacity, so at a tenth of it one request in flight counts as ten: at low
// load it gets next to nothing and never warms up. So endpoints in slow start receive their share of the requests at
// random, and loads are compared among the others.

import type { Balancer, Candidate, PickRequest } from '../core/balancer.ts';
import { E_FACTOR, E_INFLIGHT, E_WARM_START } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { Random } from '../core/random.ts';
import { CandidateTable } from './candidate-table.ts';

const NOBODY = -1;

/** Shared memory and the source of random numbers. */
export interface WarmingContext {
  readonly region: Region;
  readonly random: Random;
}

/**
 * Gives each warming candidate its part of the sum of weight * factor over all candidates, whatever the load. A candidate
 * with more in flight per weight than the mean of the others is skipped: it is slower than its ramp assumes.
 */
class WarmingBalancer implements Balancer {
  readonly #warming: CandidateTable;
  readonly #settled: CandidateTable;
  readonly #amongSettled: Balancer;
  readonly #amongAll: Balancer;
  readonly #random: Random;

  constructor(tables: { warming: CandidateTable; settled: CandidateTable }, balancers: Balancers, random: Random) {
    this.#warming = tables.warming;
    this.#settled = tables.settled;
    this.#amongSettled = balancers.amongSettled;
    this.#amongAll = balancers.amongAll;
    this.#random = random;
  }

  pick(request: PickRequest): number {
    // The end of a slow start changes no epoch: from then on all are compared again.
    if (!this.#isAnyWarming()) return this.#amongAll.pick(request);
    const index = this.#draw();
    if (index !== NOBODY && this.#warming.canTake(index, request) && !this.#isBehind(index)) {
      return this.#warming.slots[index]!;
    }
    const slot = this.#amongSettled.pick(request);
    return slot >= 0 ? slot : this.#amongAll.pick(request);
  }

  #isAnyWarming(): boolean {
    const { words, places, size } = this.#warming;
    for (let index = 0; index < size; index++) if (words[places[index]! + E_WARM_START] !== 0) return true;
    return false;
  }

  /**
   * Draws a warming candidate with the probability of its share; NOBODY otherwise. Sums stay in local variables, because
   * a returned double would be allocated.
   */
  #draw(): number {
    const { words, places, weights, size } = this.#warming;
    const { places: settledPlaces, weights: settledWeights, size: settledSize } = this.#settled;
    let capacity = 0;
    for (let index = 0; index < size; index++) capacity += weights[index]! * words[places[index]! + E_FACTOR]!;
    const warmingCapacity = capacity;
    for (let index = 0; index < settledSize; index++) {
      capacity += settledWeights[index]! * words[settledPlaces[index]! + E_FACTOR]!;
    }
    let point = this.#random.next() * capacity;
    if (point >= warmingCapacity) return NOBODY;
    for (let index = 0; index < size; index++) {
      point -= weights[index]! * words[places[index]! + E_FACTOR]!;
      if (point < 0) return index;
    }
    return NOBODY;
  }

  /** More in flight than the mean of the settled ones by weight, and one more. */
  #isBehind(index: number): boolean {
    const { words, places, weights, size } = this.#settled;
    let inflight = 0;
    let weight = 0;
    for (let other = 0; other < size; other++) {
      inflight += words[places[other]! + E_INFLIGHT]!;
      weight += weights[other]!;
    }
    return (this.#warming.inflight(index) - 1) * weight >= inflight * this.#warming.weights[index]!;
  }
}

interface Balancers {
  readonly amongSettled: Balancer;
  readonly amongAll: Balancer;
}

/**
 * Builds a balancer that compares loads, with random shares for candidates in slow start. A slow start begins before the
 * epoch changes, so the build for a new epoch sees it.
 * @param build makes the comparison for a table
 */
export function withWarming(
  candidates: readonly Candidate[],
  context: WarmingContext,
  build: (table: CandidateTable) => Balancer,
): Balancer {
  const { region, random } = context;
  const amongAll = build(new CandidateTable(candidates, region));
  const warming = candidates.filter((one) => isWarming(region, one));
  // If all are warming, their factors already give the right shares.
  if (warming.length === 0 || warming.length === candidates.length) return amongAll;
  const settled = new CandidateTable(
    candidates.filter((one) => !isWarming(region, one)),
    region,
  );
  const tables = { warming: new CandidateTable(warming, region), settled };
  return new WarmingBalancer(tables, { amongSettled: build(settled), amongAll }, random);
}

function isWarming(region: Region, { slot }: Candidate): boolean {
  return region.words[region.endpointWord(slot) + E_WARM_START] !== 0;
}
