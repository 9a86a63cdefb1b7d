// Exchanges of one upstream that wait in this worker for a place at an endpoint: first come, first served, bounded
// over all workers by a count in shared memory (ALGORITHMS 6.1). Thread: worker.

import { UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';

export class WaitQueue<Waiter> {
  readonly #words: Int32Array;
  readonly #countWord: number;
  readonly #most: number;
  readonly #waiters = new Set<Waiter>();

  /** @param most waiters over all workers; 0 is no limit. */
  constructor(region: Region, upstreamIndex: number, most: number) {
    this.#words = region.words;
    this.#countWord = region.upstreamWord(upstreamIndex) + UPSTREAM.queued.index;
    this.#most = most;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Takes a waiter in. Returns how many were before it over all workers, or -1 when the queue is full. */
  join(waiter: Waiter): number {
    const before = Atomics.add(this.#words, this.#countWord, 1);
    if (this.#most > 0 && before >= this.#most) {
      Atomics.sub(this.#words, this.#countWord, 1);
      return -1;
    }
    this.#waiters.add(waiter);
    return before;
  }

  /** Lets a waiter go: it was served, timed out, or its client left. Does nothing where it doesn't wait here. */
  leave(waiter: Waiter): void {
    if (this.#waiters.delete(waiter)) Atomics.sub(this.#words, this.#countWord, 1);
  }

  /** The one that has waited longest. */
  first(): Waiter | undefined {
    return this.#waiters.values().next().value;
  }
}

/** Whether anybody in any worker waits for a place in this upstream. */
export function hasWaiters(region: Region, upstreamIndex: number): boolean {
  return region.words[region.upstreamWord(upstreamIndex) + UPSTREAM.queued.index]! > 0;
}
