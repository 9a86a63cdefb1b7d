// Balancer descriptor: everything that Fairlead needs to know about one algorithm. Configuration, workers and `explain`
// work from it; a new algorithm is one file with a descriptor and one line in registry.ts. Thread: both.

import type { Balancer, Candidate, OutcomeObserver } from '../core/balancer.ts';
import type { Region } from '../core/memory/region.ts';
import type { OptionProblem, OptionSchemas, OptionShape, OptionsOf } from '../core/option-schema.ts';
import type { Random } from '../core/random.ts';
import type { BalanceSnapshot } from '../core/snapshot/upstream.ts';
import type { CandidateTable } from './candidate-table.ts';
import type { Candidates } from './candidates.ts';
import type { HashKey } from './hash-key.ts';

/** The thread and upstream that a balancer is built for. */
export interface BalanceContext {
  readonly region: Region;
  /** Index of the upstream's record in shared memory. */
  readonly upstreamIndex: number;
  readonly worker: number;
  readonly random: Random;
}

/** The part of an upstream's configuration on which settings may depend. */
export interface BalancedUpstream {
  readonly endpointCount: number;
}

/**
 * A balancer's measure of load: comparable between the candidates of one table, lower is better, infinite for a
 * candidate that must not be chosen. Allocates nothing.
 */
export interface LoadMeasure {
  /** @param index of the candidate in the table. @param nowMs as in PickRequest. */
  of(index: number, nowMs: number): number;
  /** Writes the loads of all candidates: one tight loop, a third of the time of one call per candidate. */
  fill(loads: Float64Array, nowMs: number): void;
}

/** The request key that a hashing balancer reads, and the seed of its hash. */
export interface HashKeySettings {
  readonly key: HashKey;
  readonly seed: number;
}

/** The key of one request, for explanations. `value` is '' where the request has no such key. */
export interface ExplainedKey {
  /** `client-ip`, `header x-user`, ... */
  readonly name: string;
  readonly value: string;
}

/**
 * The definition of a balancer. `Settings` is plain data (structured clone must accept it): it is compiled in the main
 * thread and sent to the workers.
 */
export interface BalancerDefinition<Shape extends OptionShape, Settings extends object> {
  /** The word in the configuration: `balance: NAME` or `balance: { strategy: NAME, ...options }`. */
  readonly name: string;
  /** Declares the options beside `strategy`. */
  readonly options: (schemas: OptionSchemas) => Shape;
  /** Turns validated options into settings. Thread: main. */
  readonly compile: (options: OptionsOf<Shape>, upstream: BalancedUpstream) => Settings;
  /** Validates options against the rest of the upstream. Thread: main. */
  readonly check?: (options: OptionsOf<Shape>, upstream: BalancedUpstream) => readonly OptionProblem[];
  /** Builds the balancer for one set of candidates; called again whenever the set changes. Thread: both. */
  readonly build: (settings: Settings, candidates: Candidates, context: BalanceContext) => Balancer;
  /** The load that picks compare, for `explain`. Absent: the balancer compares none. */
  readonly load?: (
    settings: Settings,
    usable: readonly Candidate[],
    region: Region,
  ) => (table: CandidateTable) => LoadMeasure;
  /** Which request key is hashed into `PickRequest.hash1` and `hash2`. Absent: both are 0. */
  readonly hashKey?: (settings: Settings) => HashKeySettings;
  /** Receives the outcome of every attempt at the upstream's endpoints. Thread: worker. */
  readonly observe?: (settings: Settings, region: Region) => OutcomeObserver;
  /**
   * Completes the sentence "the endpoint was chosen because: ..." for `explain`.
   * @param key of the request; null for balancers without `hashKey`
   */
  readonly because: (settings: Settings, key: ExplainedKey | null) => string;
}

/** A definition whose types are erased: what the registry holds. Settings are those that its own `compile` returned. */
export type BalancerDescriptor = BalancerDefinition<OptionShape, BalanceSnapshot>;

/** Checks a definition's types and erases them. */
export function defineBalancer<Shape extends OptionShape, Settings extends object>(
  definition: BalancerDefinition<Shape, Settings>,
): BalancerDescriptor {
  return definition as unknown as BalancerDescriptor;
}

/** For `options` of a balancer that has none. */
export function noOptions(): OptionShape {
  return {};
}
