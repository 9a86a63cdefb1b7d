// How a balancer is made: what every algorithm's `build` is given. Thread: both.

import type { Balancer } from '../core/balancer.ts';
import type { Region } from '../core/memory/region.ts';
import type { Random } from '../core/random.ts';
import type { BalanceSnapshot } from '../core/snapshot/upstream.ts';
import type { Candidates } from './candidates.ts';

export type BalanceKind = BalanceSnapshot['kind'];
/** Settings of one algorithm. */
export type SettingsOf<Kind extends BalanceKind> = Extract<BalanceSnapshot, { readonly kind: Kind }>;

/** Where a balancer works. */
export interface BalanceContext {
  readonly region: Region;
  /** Index of the upstream's record in shared memory. */
  readonly upstreamIndex: number;
  readonly worker: number;
  readonly random: Random;
}

/** Builds a balancer for the candidates of this moment. */
export type BalancerFactory<Kind extends BalanceKind = BalanceKind> = (
  settings: SettingsOf<Kind>,
  candidates: Candidates,
  context: BalanceContext,
) => Balancer;
