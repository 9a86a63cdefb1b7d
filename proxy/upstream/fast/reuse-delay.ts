// Tells connections that have just become free when the event loop has gone round. Thread: worker.

/** Who waits. */
export interface Freed {
  /** The event loop has looked for its input once more. */
  rested(): void;
}

/**
 * A connection rests until the event loop has looked for its input once more: an endpoint that closes behind its
 * response without having said so, or sends more than it announced, is found out before it gets the next request.
 * One serves all connections of a worker.
 */
export class ReuseDelay {
  /** Freed since the event loop last looked at all sockets, and before that. */
  #fresh: Freed[] = [];
  #looked: Freed[] = [];

  add(freed: Freed): void {
    this.#fresh.push(freed);
    if (this.#fresh.length === 1 && this.#looked.length === 0) setImmediate(this.#goneRound);
  }

  /** Comes behind a look at all sockets: what was freed before the last such look has waited long enough. */
  readonly #goneRound = (): void => {
    const waited = this.#looked;
    this.#looked = this.#fresh;
    this.#fresh = [];
    for (const freed of waited) freed.rested();
    if (this.#looked.length > 0) setImmediate(this.#goneRound);
  };
}
