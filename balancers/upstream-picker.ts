// The current balancer of one upstream in one thread: follows availability, asks the balancer. Thread: both.

import type { Balancer, PickRequest } from '../core/balancer.ts';
import { UPSTREAM } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { Random } from '../core/random.ts';
import type { UpstreamSnapshot } from '../core/snapshot.ts';
import { selectCandidates, type Candidates } from './candidates.ts';
import type { BalanceContext } from './factory.ts';
import { buildBalancer } from './registry.ts';

/** Where a picker works. */
export interface PickerContext {
  readonly region: Region;
  readonly worker: number;
  readonly random: Random;
}

/**
 * Holds what was built for the availabilities of one epoch. Main writes an endpoint's words first and moves the
 * upstream's epoch after; each pick reads the epoch and builds anew only when it moved.
 */
export class UpstreamPicker {
  readonly upstream: UpstreamSnapshot;
  readonly #context: BalanceContext;
  readonly #epochWord: number;
  #epoch: number;
  #candidates: Candidates;
  #balancer: Balancer;

  constructor(upstream: UpstreamSnapshot, context: PickerContext) {
    this.upstream = upstream;
    this.#context = { ...context, upstreamIndex: upstream.index };
    this.#epochWord = context.region.upstreamWord(upstream.index) + UPSTREAM.epoch.index;
    this.#epoch = this.#readEpoch();
    this.#candidates = selectCandidates(upstream, context.region, null);
    this.#balancer = buildBalancer(upstream.balance, this.#candidates, this.#context);
  }

  /**
   * Chooses an endpoint: a slot, or one of PICK_FAILURE. Reserves nothing: the caller reserves the slot, and picks
   * again when another worker was faster.
   */
  pick(request: PickRequest): number {
    this.#follow();
    return this.#balancer.pick(request);
  }

  /** How many endpoints of the tier in use a pick may return now, tried and busy ones included. */
  get usableCount(): number {
    return this.candidates.usable.length;
  }

  /** What picks choose from now. */
  get candidates(): Candidates {
    this.#follow();
    return this.#candidates;
  }

  /** Builds anew if the epoch moved. The epoch is read first: what main changes during the build moves it again. */
  #follow(): void {
    const epoch = this.#readEpoch();
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#candidates = selectCandidates(this.upstream, this.#context.region, this.#candidates);
    this.#balancer = buildBalancer(this.upstream.balance, this.#candidates, this.#context);
  }

  /** Atomic, so that the words which main wrote before it are seen with it. */
  #readEpoch(): number {
    return Atomics.load(this.#context.region.words, this.#epochWord);
  }
}
