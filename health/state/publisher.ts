// Publishes verdicts in shared memory: the only writer of availability, factor, weight, limit and generation,
// of `allDown` and of the upstream's epoch (docs/design.md 1.4). Order: the endpoint's words first, then the epoch, so
// that a worker that sees a new epoch sees what moved it. Thread: main.

import { AVAILABILITY, type Availability } from '../../core/availability.ts';
import {
  E_AVAILABILITY,
  E_CONSECUTIVE,
  E_EWMA_COST,
  E_EWMA_STAMP,
  E_FACTOR,
  E_GENERATION,
  E_LAST_SUCCESS,
  E_LIMIT,
  E_SUSPECT,
  SUSPICION,
  E_TOKEN,
  E_WARM_START,
  E_WEIGHT,
  FULL_FACTOR,
  UPSTREAM,
} from '../../core/memory/layout.ts';
import { failuresIn } from '../../core/memory/failure-count.ts';
import type { Region } from '../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { isOut } from '../outlier/ejection-limit.ts';

export class Publisher {
  readonly #region: Region;
  readonly #words: Int32Array;

  constructor(region: Region) {
    this.#region = region;
    this.#words = region.words;
  }

  /**
   * Writes the words of a slot that has a new owner, without the history of the earlier one. The generation is written
   * first, so that late signals about the earlier owner are recognised from then on.
   */
  adopt(upstream: number, endpoint: EndpointSnapshot, limit: number): void {
    const { slot, generation, weight } = endpoint;
    this.#region.use(slot);
    this.#set(slot, E_GENERATION, generation);
    this.#forgetTraffic(slot);
    this.#set(slot, E_LAST_SUCCESS, 0);
    const place = this.#region.endpointWord(slot) / 2;
    this.#region.doubles[place + E_EWMA_COST] = 0;
    this.#region.doubles[place + E_EWMA_STAMP] = 0;
    this.#set(slot, E_FACTOR, FULL_FACTOR);
    this.#set(slot, E_WARM_START, 0);
    this.#set(slot, E_WEIGHT, weight);
    this.#set(slot, E_LIMIT, limit);
    this.#set(slot, E_AVAILABILITY, AVAILABILITY.up);
    this.#moveEpoch(upstream);
  }

  /**
   * Publishes a change of availability. What workers have counted is reset before they can act on the change: the
   * suspicion unless it is what is published, and on a return to traffic (half-open included) also the failures in a
   * row and the trial's token: earlier counts are void after it. A
   * cleared suspicion keeps the count: its failures are still consecutive.
   */
  availability(upstream: number, slot: number, from: Availability, to: Availability): void {
    if (to === 'halfOpen' || (isOut(from) && !isOut(to))) this.#forgetTraffic(slot);
    this.#set(slot, E_SUSPECT, to === 'suspect' ? this.#suspicionOf(slot) : SUSPICION.none);
    this.#set(slot, E_AVAILABILITY, AVAILABILITY[to]);
    this.#moveEpoch(upstream);
  }

  /** The mark that a worker has set; a failure where none has. */
  #suspicionOf(slot: number): number {
    return this.#get(slot, E_SUSPECT) || SUSPICION.failure;
  }

  /** Publishes weight and limit of a slot after a reload or a change by the operator. */
  terms(upstream: number, slot: number, weight: number, limit: number): void {
    this.#set(slot, E_WEIGHT, weight);
    this.#set(slot, E_LIMIT, limit);
    this.#moveEpoch(upstream);
  }

  /**
   * Publishes the share of its weight that an endpoint carries, above 0. Balancers read it at each pick: the epoch need
   * not move.
   */
  share(slot: number, share: number): void {
    this.#set(slot, E_FACTOR, Math.max(1, Math.round(share * FULL_FACTOR)));
  }

  /** Publishes how many requests an endpoint may have in flight; 0 is no limit. Reservations read it each time. */
  limit(slot: number, limit: number): void {
    this.#set(slot, E_LIMIT, limit);
  }

  /** Publishes when a slow start began, as wall-clock ms; null: there is none. */
  warmStart(slot: number, wallMs: number | null): void {
    const stamp = wallMs === null ? 0 : (wallMs - this.#region.originWallMs) | 0;
    this.#set(slot, E_WARM_START, wallMs === null ? 0 : stamp || 1);
  }

  allDown(upstream: number, isAllDown: boolean): void {
    Atomics.store(this.#words, this.#region.upstreamWord(upstream) + UPSTREAM.allDown.index, isAllDown ? 1 : 0);
    this.#moveEpoch(upstream);
  }

  /** Restarts the count of consecutive failures: the threshold led to no ejection, and must be reported again. */
  restartCount(slot: number): void {
    this.#set(slot, E_CONSECUTIVE, 0);
  }

  /** Lets the next live request try a half-open endpoint: the last trial decided nothing. */
  reopenTrial(slot: number): void {
    this.#forgetTraffic(slot);
  }

  /** Frees the token if `worker` holds it: that worker is gone and won't report. */
  freeTokenOf(slot: number, worker: number): void {
    Atomics.compareExchange(this.#words, this.#region.endpointWord(slot) + E_TOKEN, worker + 1, 0);
  }

  /** Whether a trial of a half-open endpoint is under way. */
  isTrialRunning(slot: number): boolean {
    return this.#get(slot, E_TOKEN) !== 0;
  }

  consecutiveFailures(slot: number): number {
    return failuresIn(this.#get(slot, E_CONSECUTIVE));
  }

  /** Ms since the region's origin, in 32 bits; 0 is never. */
  lastSuccess(slot: number): number {
    return this.#get(slot, E_LAST_SUCCESS);
  }

  #forgetTraffic(slot: number): void {
    this.#set(slot, E_SUSPECT, SUSPICION.none);
    this.#set(slot, E_CONSECUTIVE, 0);
    this.#set(slot, E_TOKEN, 0);
  }

  #get(slot: number, word: number): number {
    return Atomics.load(this.#words, this.#region.endpointWord(slot) + word);
  }

  #set(slot: number, word: number, value: number): void {
    Atomics.store(this.#words, this.#region.endpointWord(slot) + word, value);
  }

  #moveEpoch(upstream: number): void {
    Atomics.add(this.#words, this.#region.upstreamWord(upstream) + UPSTREAM.epoch.index, 1);
  }
}
