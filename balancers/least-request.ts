// Balancer `least-request`, the default: fewest requests in flight per weight, exact over all workers (ALGORITHMS 1.2).
// Under it a weight means capacity, not share: at low load a light endpoint beside heavy ones gets next to nothing.
// Thread: both.

import type { Balancer } from '../core/balancer.ts';
import { leastLoaded } from './best-of-three.ts';
import { CandidateTable } from './candidate-table.ts';
import type { Candidates } from './candidates.ts';
import type { BalanceContext, SettingsOf } from './factory.ts';
import type { LoadMeasure } from './load-measure.ts';

/**
 * (in-flight + 1) / (weight * factor), the shortest expected delay of Linux IPVS. A quotient of two integers below
 * 2^53 is correctly rounded, so that equal loads compare equal.
 */
class InflightPerCapacity implements LoadMeasure {
  readonly #table: CandidateTable;

  constructor(table: CandidateTable) {
    this.#table = table;
  }

  of(index: number): number {
    return (this.#table.inflight(index) + 1) / this.#table.capacity(index);
  }
}

export function buildLeastRequest(
  _settings: SettingsOf<'least-request'>,
  candidates: Candidates,
  context: BalanceContext,
): Balancer {
  const table = new CandidateTable(candidates.usable, context.region);
  return leastLoaded(table, new InflightPerCapacity(table), context.random);
}
