// Request heads that are used again: a connection has one only while it serves a request. Thread: worker.

import { FastRequestHead } from '../../upstream/fast/fast-request-head.ts';

/** Heads kept for the next requests; each holds about a kilobyte. */
const MAX_SPARE = 256;

export class HeadPool {
  readonly #spare: FastRequestHead[] = [];
  #next = new FastRequestHead();

  /** What the next head is to be scanned into. The same one until it is taken. */
  get next(): FastRequestHead {
    return this.#next;
  }

  /** The head in `next` is somebody's now. */
  take(): FastRequestHead {
    const taken = this.#next;
    this.#next = this.#spare.pop() ?? new FastRequestHead();
    return taken;
  }

  /** Gives a head back that nobody looks at any more. */
  give(head: FastRequestHead): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(head);
  }
}
