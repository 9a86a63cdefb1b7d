// The queue of one upstream in one worker: first in, first out, bounded over all workers by a count in shared memory, and
// fair between workers by tickets (docs/algorithms.md 6.1). Thread: worker.

import { E_QUEUED, UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';

/** Where a queue keeps its counts. */
export interface QueuePlace {
  readonly region: Region;
  readonly worker: number;
  readonly upstreamIndex: number;
}

export class WaitQueue<Waiter> {
  readonly #words: Int32Array;
  /** Index of the upstream's record, and of this worker's own count. */
  readonly #record: number;
  readonly #ownWord: number;
  readonly #limit: number;
  /** With the ticket of each, both in queue order. */
  readonly #waiters = new Map<Waiter, number>();

  /** @param limit waiters over all workers; 0 is no limit. */
  constructor({ region, worker, upstreamIndex }: QueuePlace, limit: number) {
    this.#words = region.words;
    this.#record = region.upstreamWord(upstreamIndex);
    this.#ownWord = region.waitingWord(worker, upstreamIndex);
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Adds a waiter. Returns how many were queued before it over all workers, or -1 where the queue is full.
   * @param share of the queue that such a waiter may fill
   */
  join(waiter: Waiter, share = 1): number {
    const before = Atomics.add(this.#words, this.#record + UPSTREAM.queued.index, 1);
    if (this.#limit > 0 && before >= this.#limit * share) {
      Atomics.sub(this.#words, this.#record + UPSTREAM.queued.index, 1);
      return -1;
    }
    this.#words[this.#ownWord]!++;
    this.#waiters.set(waiter, Atomics.add(this.#words, this.#record + UPSTREAM.ticketNext.index, 1));
    return before;
  }

  /** Removes a waiter: it was served, timed out, or was cancelled. Does nothing where it isn't queued here. */
  leave(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    Atomics.add(this.#words, this.#record + UPSTREAM.ticketServed.index, 1);
    Atomics.sub(this.#words, this.#record + UPSTREAM.queued.index, 1);
    this.#words[this.#ownWord]!--;
  }

  /** The oldest waiter. */
  first(): Waiter | undefined {
    return this.#waiters.keys().next().value;
  }

  /**
   * Whether the oldest waiter may take a place now, or must leave it to an older one of another worker: without this
   * the worker in which places become free would always win.
   * @param slack tickets that may be jumped
   */
  isTurnOfFirst(slack: number): boolean {
    const ticket = this.#waiters.values().next().value;
    if (ticket === undefined) return false;
    const served = Atomics.load(this.#words, this.#record + UPSTREAM.ticketServed.index);
    return ((ticket - served) | 0) < slack;
  }
}

/** Whether a request is queued at this upstream in any worker. */
export function hasWaiters(region: Region, upstreamIndex: number): boolean {
  return region.words[region.upstreamWord(upstreamIndex) + UPSTREAM.queued.index]! > 0;
}

/**
 * Counts a queued request at the only endpoint that can serve it. Returns how many were counted before it. The own row
 * comes first here and last in `leaveEndpointQueue`, as in core/memory/reservation.ts, which repairs it after a crash.
 */
export function joinEndpointQueue(region: Region, worker: number, slot: number): number {
  region.words[region.endpointWaitingWord(worker, slot)]!++;
  return Atomics.add(region.words, region.endpointWord(slot) + E_QUEUED, 1);
}

export function leaveEndpointQueue(region: Region, worker: number, slot: number): void {
  Atomics.sub(region.words, region.endpointWord(slot) + E_QUEUED, 1);
  region.words[region.endpointWaitingWord(worker, slot)]!--;
}
