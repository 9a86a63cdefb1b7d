// Table of balancers. A new one is one file and one line here; a plugin's joins by `installBalancer`. Thread: both.

import type { Balancer, Candidate } from '../core/balancer.ts';
import { DescriptorTable } from '../core/descriptor-table.ts';
import { FULL_FACTOR } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { BalanceSnapshot } from '../core/snapshot/upstream.ts';
import { CandidateTable } from './candidate-table.ts';
import type { Candidates } from './candidates.ts';
import { consistentHash } from './consistent-hash.ts';
import type { BalanceContext, BalancedUpstream, BalancerDescriptor } from './descriptor.ts';
import { first } from './first.ts';
import { leastRequest } from './least-request.ts';
import { peakEwma } from './peak-ewma.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** In the order in which the documentation lists them. */
const BUILT_IN: readonly BalancerDescriptor[] = [leastRequest, roundRobin, random, peakEwma, first, consistentHash];

const table = new DescriptorTable<BalancerDescriptor>('balancer', BUILT_IN);

/** All balancers, the built-in ones first. */
export function allBalancers(): readonly BalancerDescriptor[] {
  return table.all();
}

/**
 * Adds a balancer for the rest of the process. Call it in the main thread before the configuration is validated, and in
 * each worker before its first Runtime is built.
 * @throws Error when the name is taken
 */
export function addBalancer(descriptor: BalancerDescriptor): void {
  table.add(descriptor);
}

/** Adds a plugin's balancer, in place of an earlier one of that name. @throws Error for a built-in name */
export function installBalancer(descriptor: BalancerDescriptor): void {
  table.install(descriptor);
}

/** @throws Error when there is none: the configuration accepts registered names only. */
export function balancerNamed(name: string): BalancerDescriptor {
  return table.named(name);
}

/** Compiles an upstream's validated `balance`. */
export function compileBalance(
  { strategy, ...options }: { readonly strategy: string } & Readonly<Record<string, unknown>>,
  upstream: BalancedUpstream,
): BalanceSnapshot {
  return { ...balancerNamed(strategy).compile(options, upstream), kind: strategy };
}

/** Builds the balancer that the settings name. */
export function buildBalancer(settings: BalanceSnapshot, candidates: Candidates, context: BalanceContext): Balancer {
  return balancerNamed(settings.kind).build(settings, candidates, context);
}

/**
 * Loads of `members` per weight of 1, as the balancer compares them. Null for a balancer that compares none.
 * @param nowMs as in PickRequest
 */
export function candidateLoads(
  settings: BalanceSnapshot,
  members: readonly Candidate[],
  candidates: Candidates,
  region: Region,
  nowMs: number,
): readonly number[] | null {
  const measureOf = balancerNamed(settings.kind).load?.(settings, candidates.usable, region);
  if (measureOf === undefined) return null;
  const load = measureOf(new CandidateTable(members, region));
  return members.map((_, index) => load.of(index, nowMs) * FULL_FACTOR);
}
