// Exchanges of one upstream that wait in this worker for a place at an endpoint: first come, first served, bounded over
// all workers by a count in shared memory, and fair between them by tickets (docs/algorithms.md 6.1). Thread: worker.

import { UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';

/** Who waits where. */
export interface QueuePlace {
  readonly region: Region;
  readonly worker: number;
  readonly upstreamIndex: number;
}

export class WaitQueue<Waiter> {
  readonly #words: Int32Array;
  /** The upstream's record, and this worker's own count. */
  readonly #record: number;
  readonly #ownWord: number;
  readonly #most: number;
  /** With the ticket of each, in the order of both. */
  readonly #waiters = new Map<Waiter, number>();

  /** @param most waiters over all workers; 0 is no limit. */
  constructor({ region, worker, upstreamIndex }: QueuePlace, most: number) {
    this.#words = region.words;
    this.#record = region.upstreamWord(upstreamIndex);
    this.#ownWord = region.waitingWord(worker, upstreamIndex);
    this.#most = most;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Takes a waiter in. Returns how many were before it over all workers, or -1 when the queue is full.
   * @param share of the queue that such a waiter may fill
   */
  join(waiter: Waiter, share = 1): number {
    const before = Atomics.add(this.#words, this.#record + UPSTREAM.queued.index, 1);
    if (this.#most > 0 && before >= this.#most * share) {
      Atomics.sub(this.#words, this.#record + UPSTREAM.queued.index, 1);
      return -1;
    }
    this.#words[this.#ownWord]!++;
    this.#waiters.set(waiter, Atomics.add(this.#words, this.#record + UPSTREAM.ticketNext.index, 1));
    return before;
  }

  /** Lets a waiter go: it was served, timed out, or its client left. Does nothing where it doesn't wait here. */
  leave(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    Atomics.add(this.#words, this.#record + UPSTREAM.ticketServed.index, 1);
    Atomics.sub(this.#words, this.#record + UPSTREAM.queued.index, 1);
    this.#words[this.#ownWord]!--;
  }

  /** The one that has waited longest. */
  first(): Waiter | undefined {
    return this.#waiters.keys().next().value;
  }

  /**
   * Whether the first may take a place now, or must leave it to a worker whose waiter came earlier: without this the
   * worker in which places become free would always win.
   * @param slack tickets that may be jumped: as many as there are workers
   */
  isTurnOfFirst(slack: number): boolean {
    const ticket = this.#waiters.values().next().value;
    if (ticket === undefined) return false;
    const served = Atomics.load(this.#words, this.#record + UPSTREAM.ticketServed.index);
    return ((ticket - served) | 0) < slack;
  }
}

/** Whether anybody in any worker waits for a place in this upstream. */
export function hasWaiters(region: Region, upstreamIndex: number): boolean {
  return region.words[region.upstreamWord(upstreamIndex) + UPSTREAM.queued.index]! > 0;
}
