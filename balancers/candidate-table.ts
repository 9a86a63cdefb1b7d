// Candidates as columns of numbers, with the tests that every pick applies to them. Thread: both.

import { AVAILABILITY } from '../core/availability.ts';
import { PICK_FAILURE, wasTried, type Candidate, type PickFailure, type PickRequest } from '../core/balancer.ts';
import { E_AVAILABILITY, E_FACTOR, E_INFLIGHT, E_LAST_SUCCESS, E_LIMIT, E_TOKEN } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';

const HALF_OPEN = AVAILABILITY.halfOpen;
/** Time for which a half-open endpoint is reserved for a repeatable request; after it any request may be the trial. */
const WAIT_FOR_SAFE_MS = 1_000;

/**
 * Candidates by index (0 to size - 1). Counters are read with plain loads: they are tear-free, seven times cheaper
 * than Atomics.load, and nanoseconds of staleness don't matter, because the reservation that follows is exact.
 */
export class CandidateTable {
  readonly size: number;
  readonly words: Int32Array;
  readonly slots: Int32Array;
  /** Index in `words` of each candidate's record. */
  readonly places: Int32Array;
  readonly weights: Float64Array;
  /** When a request that can't be repeated was first kept from a half-open endpoint; negative if none was. */
  #waitsSinceMs = -1;

  constructor(candidates: readonly Candidate[], region: Region) {
    this.size = candidates.length;
    this.words = region.words;
    this.slots = Int32Array.from(candidates, (candidate) => candidate.slot);
    this.places = Int32Array.from(candidates, (candidate) => region.endpointWord(candidate.slot));
    this.weights = Float64Array.from(candidates, (candidate) => candidate.weight);
  }

  /** Requests in flight over all workers. */
  inflight(index: number): number {
    return this.words[this.places[index]! + E_INFLIGHT]!;
  }

  /** Dynamic share of the weight (slow start, feedback), in 1/65536. */
  factor(index: number): number {
    return this.words[this.places[index]! + E_FACTOR]!;
  }

  /** Weight times factor: the endpoint's present capacity, in 1/65536 of a weight of 1. */
  capacity(index: number): number {
    return this.weights[index]! * this.words[this.places[index]! + E_FACTOR]!;
  }

  /** Whether the last success of `index` is later than that of `other` (-1: none). */
  isFresher(index: number, other: number): boolean {
    if (other < 0) return false;
    const words = this.words;
    return words[this.places[index]! + E_LAST_SUCCESS]! > words[this.places[other]! + E_LAST_SUCCESS]!;
  }

  /** Whether the candidate accepts another request: it is below its limit and, if half-open, has no trial in progress. */
  hasRoom(index: number): boolean {
    const words = this.words;
    const place = this.places[index]!;
    const limit = words[place + E_LIMIT]!;
    if (limit > 0 && words[place + E_INFLIGHT]! >= limit) return false;
    return words[place + E_AVAILABILITY] !== HALF_OPEN || words[place + E_TOKEN] === 0;
  }

  /** Whether this request may be sent to the candidate: it has room, was not tried, and isn't reserved for another trial. */
  canTake(index: number, request: PickRequest): boolean {
    if (wasTried(request, this.slots[index]!) || !this.hasRoom(index)) return false;
    return (
      request.mayRetry || this.words[this.places[index]! + E_AVAILABILITY] !== HALF_OPEN || this.#maySpend(request)
    );
  }

  /**
   * Whether a request that can't be repeated may be the trial of a half-open endpoint. A repeatable one is preferred,
   * since it survives a failed trial; any request will do if no other candidate is left or none has come for a second.
   */
  #maySpend(request: PickRequest): boolean {
    if (this.size === 1 || request.triedCount > 0) return true;
    if (this.#waitsSinceMs < 0) this.#waitsSinceMs = request.nowMs;
    return request.nowMs - this.#waitsSinceMs >= WAIT_FOR_SAFE_MS;
  }

  /** The reason why no candidate was found. A busy one outweighs tried ones: waiting may help. */
  failure(request: PickRequest): PickFailure {
    if (this.size === 0) return PICK_FAILURE.noneUsable;
    for (let index = 0; index < this.size; index++) {
      if (!wasTried(request, this.slots[index]!)) return PICK_FAILURE.allBusy;
    }
    return PICK_FAILURE.allTried;
  }
}
