// Keeps connections that have just become free from being leased again at once. Thread: worker.

/** Who waits. */
export interface Freed {
  /** It may be leased again, unless it has ended since. */
  becomeIdle(): void;
}

/**
 * A connection is leased again when the event loop has looked for its input once more: an endpoint that closes behind
 * its response without having said so, or sends more than it announced, is found out before it gets the next request.
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
    for (const freed of waited) freed.becomeIdle();
    if (this.#looked.length > 0) setImmediate(this.#goneRound);
  };
}
