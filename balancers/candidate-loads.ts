// The loads that a balancer compares, for people to look at. Thread: both.

import type { Candidate } from '../core/balancer.ts';
import { FULL_FACTOR } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { BalanceSnapshot } from '../core/snapshot/upstream.ts';
import { CandidateTable } from './candidate-table.ts';
import type { Candidates } from './candidates.ts';
import { inflightPerCapacity } from './least-request.ts';
import { peakEwmaMeasure } from './peak-ewma.ts';

/**
 * The load of each of `members`, per weight of 1: the least is chosen. Null for a balancer that compares none.
 * @param nowMs as in PickRequest
 */
export function candidateLoads(
  balance: BalanceSnapshot,
  members: readonly Candidate[],
  candidates: Candidates,
  region: Region,
  nowMs: number,
): readonly number[] | null {
  if (balance.kind !== 'least-request' && balance.kind !== 'peak-ewma') return null;
  const measureOf =
    balance.kind === 'least-request' ? inflightPerCapacity : peakEwmaMeasure(balance, candidates.usable, region);
  const load = measureOf(new CandidateTable(members, region));
  return members.map((_, index) => load.of(index, nowMs) * FULL_FACTOR);
}
