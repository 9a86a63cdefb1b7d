// The current balancer of one upstream in one thread, rebuilt when availability changes. Thread: both.

import { type Balancer, PICK_FAILURE, type PickRequest } from '../core/balancer.ts';
import { UPSTREAM } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { Random } from '../core/random.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { CandidateTable } from './candidate-table.ts';
import { selectCandidates, type Candidates } from './candidates.ts';
import type { BalanceContext } from './descriptor.ts';
import { balancerNamed, buildBalancer } from './registry.ts';
import { ZonePreference } from './zone-balancer.ts';

/** The thread of a picker. */
export interface PickerContext {
  readonly region: Region;
  readonly worker: number;
  readonly random: Random;
}

/** Least time between two canaries from one worker. */
const CANARY_EVERY_MS = 100;

/**
 * Holds the balancer for the availabilities of one epoch. Main writes an endpoint's words first and the upstream's epoch
 * afterwards; each pick reads the epoch and rebuilds only when it has changed. Workers mark suspects themselves and
 * increment the upstream's count of them, which is read with the epoch.
 *
 * Suspects receive canaries: repeatable requests, one at a time, at a low rate. Other requests avoid suspects while
 * another endpoint can take them. Where only endpoints are left that have just failed, requests that can't be repeated wait
 * for their heartbeats, which take milliseconds.
 */
export class UpstreamPicker {
  #upstream: UpstreamSnapshot;
  #endpoints: ReadonlyMap<number, EndpointSnapshot>;
  readonly #context: BalanceContext;
  /** Null where zones don't matter. */
  readonly #preference: ZonePreference | null;
  readonly #upstreamWord: number;
  readonly #keepsSlow: boolean;
  /** Whether a request that can't be repeated may wait until heartbeats decide about the only endpoints left. */
  readonly #mayWait: boolean;
  #epoch: number;
  #suspicions: number;
  /** Whether the candidates are those of earlier endpoints. The epoch is another one then. */
  #isReplaced = false;
  #candidates: Candidates;
  #balancer: Balancer;
  /** Balancer over the suspects alone, used when no other endpoint can take a request. */
  #suspectBalancer: Balancer | null = null;
  #suspectTable: CandidateTable | null = null;
  #lastResortTable: CandidateTable | null = null;
  #lastCanaryMs = -Infinity;

  constructor(upstream: UpstreamSnapshot, context: PickerContext) {
    this.#upstream = upstream;
    this.#endpoints = bySlot(upstream);
    this.#context = { ...context, upstreamIndex: upstream.index };
    const { locality } = upstream;
    this.#preference = locality === null ? null : new ZonePreference(upstream, locality, this.#context);
    this.#upstreamWord = context.region.upstreamWord(upstream.index);
    this.#epoch = this.#readEpoch();
    this.#suspicions = this.#readSuspicions();
    this.#keepsSlow = balancerNamed(upstream.balance.kind).hashKey !== undefined;
    this.#mayWait = upstream.whenAllDown === 'wait' && upstream.heartbeat !== null;
    this.#candidates = selectCandidates(upstream, context.region, null, this.#keepsSlow);
    this.#balancer = this.#newBalancer();
    this.#buildSuspects();
  }

  get upstream(): UpstreamSnapshot {
    return this.#upstream;
  }

  /** The endpoint of a slot; undefined where the upstream has none there. */
  endpointAt(slot: number): EndpointSnapshot | undefined {
    return this.#endpoints.get(slot);
  }

  /**
   * Takes other endpoints over. Requests that wait are placed among them. The next pick builds their balancer: an upstream
   * may change many times between two requests.
   */
  replaceEndpoints(upstream: UpstreamSnapshot): void {
    this.#upstream = upstream;
    this.#endpoints = bySlot(upstream);
    this.#isReplaced = true;
    this.#epoch = this.#readEpoch() - 1;
  }

  /**
   * Chooses an endpoint: a slot, or one of PICK_FAILURE. Reserves nothing: the caller reserves the slot, and picks
   * again when another worker was faster.
   */
  pick(request: PickRequest): number {
    this.#follow();
    if (this.#candidates.isDoubtful && this.#mustWait(request)) return PICK_FAILURE.noneUsable;
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

  /** A request that was tried before has used up its retries: it goes where it can. */
  #mustWait({ mayRetry, triedCount }: PickRequest): boolean {
    return this.#mayWait && !mayRetry && triedCount === 0;
  }

  /** Picks an endpoint that is down or ejected when no other one is left; the one with the fewest requests in flight. */
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

  /** Number of endpoints of the tier in use that a pick may return, tried and busy ones included. */
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

  /** The present candidates. */
  get candidates(): Candidates {
    this.#follow();
    return this.#candidates;
  }

  /** Returns an idle suspect for a repeatable request if a canary is due, otherwise -1. */
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

  /** Rebuilds if the words have changed. They are read first, so that a change during the build is seen next time. */
  #follow(): void {
    const epoch = this.#readEpoch();
    const suspicions = this.#readSuspicions();
    if (epoch === this.#epoch && suspicions === this.#suspicions) return;
    this.#epoch = epoch;
    this.#suspicions = suspicions;
    const previous = this.#isReplaced ? null : this.#candidates;
    this.#isReplaced = false;
    this.#build(previous);
  }

  /** @param previous candidates of the same endpoints; null where there are none */
  #build(previous: Candidates | null): void {
    this.#candidates = selectCandidates(this.#upstream, this.#context.region, previous, this.#keepsSlow);
    this.#balancer = this.#newBalancer();
    this.#buildSuspects();
  }

  #newBalancer(): Balancer {
    if (this.#preference === null) return buildBalancer(this.#upstream.balance, this.#candidates, this.#context);
    return this.#preference.build(this.#upstream, this.#candidates, this.#endpoints);
  }

  #buildSuspects(): void {
    const { suspects } = this.#candidates;
    const isAny = suspects.length > 0;
    const asUsable = { ...this.#candidates, usable: suspects, suspects: [] };
    this.#lastResortTable = null;
    this.#suspectTable = isAny ? new CandidateTable(suspects, this.#context.region) : null;
    this.#suspectBalancer = isAny ? buildBalancer(this.#upstream.balance, asUsable, this.#context) : null;
  }

  /** An atomic load orders it before the words that main wrote earlier. */
  #readEpoch(): number {
    return Atomics.load(this.#context.region.words, this.#upstreamWord + UPSTREAM.epoch.index);
  }

  #readSuspicions(): number {
    return this.#context.region.words[this.#upstreamWord + UPSTREAM.suspects.index]!;
  }
}

function bySlot({ endpoints }: UpstreamSnapshot): ReadonlyMap<number, EndpointSnapshot> {
  return new Map(endpoints.map((endpoint) => [endpoint.slot, endpoint]));
}
