// The table of all balancers: the only list of them. A new one is one file and one line here. Thread: both.

import type { Balancer } from '../core/balancer.ts';
import type { BalanceSnapshot } from '../core/snapshot/upstream.ts';
import type { Candidates } from './candidates.ts';
import { buildConsistentHash } from './consistent-hash.ts';
import type { BalanceContext, BalanceKind, BalancerFactory } from './factory.ts';
import { buildFirst } from './first.ts';
import { buildLeastRequest } from './least-request.ts';
import { buildPeakEwma } from './peak-ewma.ts';
import { buildRandom } from './random.ts';
import { buildRoundRobin } from './round-robin.ts';

const BALANCERS: { readonly [Kind in BalanceKind]: BalancerFactory<Kind> } = {
  'least-request': buildLeastRequest,
  'round-robin': buildRoundRobin,
  random: buildRandom,
  'peak-ewma': buildPeakEwma,
  'consistent-hash': buildConsistentHash,
  first: buildFirst,
};

/** Names of all balancers, as the YAML has them. */
export const BALANCE_KINDS = Object.keys(BALANCERS) as readonly BalanceKind[];

/** Builds the balancer that the settings name. */
export function buildBalancer(settings: BalanceSnapshot, candidates: Candidates, context: BalanceContext): Balancer {
  // Each row fits the settings of its own kind; the compiler can't follow the kind through the look-up.
  const build = BALANCERS[settings.kind] as BalancerFactory;
  return build(settings, candidates, context);
}
