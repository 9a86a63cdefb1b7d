// The current balancer of one upstream in one thread: follows availability, asks the balancer. Thread: both.

import { type Balancer, PICK_FAILURE, type PickRequest } from '../core/balancer.ts';
import { UPSTREAM } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { Random } from '../core/random.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { CandidateTable } from './candidate-table.ts';
import { selectCandidates, type Candidates } from './candidates.ts';
import type { BalanceContext } from './descriptor.ts';
import { balancerNamed, buildBalancer } from './registry.ts';

/** Where a picker works. */
export interface PickerContext {
  readonly region: Region;
  readonly worker: number;
  readonly random: Random;
}

/** A suspect is tried by one live request at most in this time, from each worker. */
const CANARY_EVERY_MS = 100;

/**
 * Holds what was built for the availabilities of one epoch. Main writes an endpoint's words first and moves the
 * upstream's epoch after; each pick reads the epoch and builds anew only when it moved. Workers mark suspects
 * themselves and move the upstream's count of them, which is read beside the epoch.
 *
 * Suspects get canaries: a request that may be repeated, one at a time, at a trickle. All others avoid them, as long
 * as anything else can take the request.
 */
export class UpstreamPicker {
  readonly upstream: UpstreamSnapshot;
  readonly #context: BalanceContext;
  readonly #upstreamWord: number;
  readonly #keepsSlow: boolean;
  #epoch: number;
  #suspicions: number;
  #candidates: Candidates;
  #balancer: Balancer;
  /** Of the suspects alone: the last resort. */
  #suspectBalancer: Balancer | null = null;
  #suspectTable: CandidateTable | null = null;
  #lastResortTable: CandidateTable | null = null;
  #lastCanaryMs = -Infinity;

  constructor(upstream: UpstreamSnapshot, context: PickerContext) {
    this.upstream = upstream;
    this.#context = { ...context, upstreamIndex: upstream.index };
    this.#upstreamWord = context.region.upstreamWord(upstream.index);
    this.#epoch = this.#readEpoch();
    this.#suspicions = this.#readSuspicions();
    this.#keepsSlow = balancerNamed(upstream.balance.kind).hashKey !== undefined;
    this.#candidates = selectCandidates(upstream, context.region, null, this.#keepsSlow);
    this.#balancer = buildBalancer(upstream.balance, this.#candidates, this.#context);
    this.#buildSuspects();
  }

  /**
   * Chooses an endpoint: a slot, or one of PICK_FAILURE. Reserves nothing: the caller reserves the slot, and picks
   * again when another worker was faster.
   */
  pick(request: PickRequest): number {
    this.#follow();
    const slot = this.#suspectBalancer === null ? this.#balancer.pick(request) : this.#pickAmongSuspects(request);
    if (slot >= 0 || slot === PICK_FAILURE.allBusy || !request.mayUseLastResort) return slot;
    return this.#pickLastResort(request, slot);
  }

  #pickAmongSuspects(request: PickRequest): number {
    const canary = this.#pickCanary(request);
    if (canary >= 0) return canary;
    const slot = this.#balancer.pick(request);
    if (slot >= 0) return slot;
    const suspect = this.#suspectBalancer!.pick(request);
    if (suspect >= 0) return suspect;
    const isBusy = slot === PICK_FAILURE.allBusy || suspect === PICK_FAILURE.allBusy;
    return isBusy ? PICK_FAILURE.allBusy : PICK_FAILURE.allTried;
  }

  /** A retry that has nobody else left: better one that is judged bad than to give up. Idlest first. */
  #pickLastResort(request: PickRequest, failure: number): number {
    const { lastResort } = this.#candidates;
    if (lastResort.length === 0) return failure;
    const table = (this.#lastResortTable ??= new CandidateTable(lastResort, this.#context.region));
    let best = -1;
    for (let index = 0; index < table.size; index++) {
      const isBetter = best < 0 || table.inflight(index) < table.inflight(best);
      if (isBetter && table.canTake(index, request)) best = index;
    }
    return best < 0 ? failure : table.slots[best]!;
  }

  /** How many endpoints of the tier in use a pick may return now, tried and busy ones included. */
  get usableCount(): number {
    const { usable, suspects } = this.candidates;
    return usable.length + suspects.length;
  }

  /** Slot of the only endpoint that picks may return now, busy or not; -1 where there are several or none. */
  get onlyUsableSlot(): number {
    const { usable, suspects } = this.candidates;
    if (usable.length + suspects.length !== 1) return -1;
    return (usable[0] ?? suspects[0])!.slot;
  }

  /** What picks choose from now. */
  get candidates(): Candidates {
    this.#follow();
    return this.#candidates;
  }

  /** A suspect with nothing in flight for a request that may be repeated, if it is time for one; else -1. */
  #pickCanary(request: PickRequest): number {
    const table = this.#suspectTable!;
    if (!request.mayRetry || request.triedCount > 0 || request.nowMs - this.#lastCanaryMs < CANARY_EVERY_MS) return -1;
    for (let index = 0; index < table.size; index++) {
      if (table.inflight(index) > 0 || !table.canTake(index, request)) continue;
      this.#lastCanaryMs = request.nowMs;
      return table.slots[index]!;
    }
    return -1;
  }

  /** Builds anew if something moved. The words are read first: what changes during the build moves them again. */
  #follow(): void {
    const epoch = this.#readEpoch();
    const suspicions = this.#readSuspicions();
    if (epoch === this.#epoch && suspicions === this.#suspicions) return;
    this.#epoch = epoch;
    this.#suspicions = suspicions;
    this.#candidates = selectCandidates(this.upstream, this.#context.region, this.#candidates, this.#keepsSlow);
    this.#balancer = buildBalancer(this.upstream.balance, this.#candidates, this.#context);
    this.#buildSuspects();
  }

  #buildSuspects(): void {
    const { suspects } = this.#candidates;
    const isAny = suspects.length > 0;
    const asUsable = { ...this.#candidates, usable: suspects, suspects: [] };
    this.#lastResortTable = null;
    this.#suspectTable = isAny ? new CandidateTable(suspects, this.#context.region) : null;
    this.#suspectBalancer = isAny ? buildBalancer(this.upstream.balance, asUsable, this.#context) : null;
  }

  /** Atomic, so that the words which main wrote before it are seen with it. */
  #readEpoch(): number {
    return Atomics.load(this.#context.region.words, this.#upstreamWord + UPSTREAM.epoch.index);
  }

  #readSuspicions(): number {
    return this.#context.region.words[this.#upstreamWord + UPSTREAM.suspects.index]!;
  }
}
