// X-Request-Id: one for every exchange, unique over workers and restarts. Thread: worker.

import { randomBytes } from 'node:crypto';

/** What is taken over from a trusted peer: visible ASCII without quotes, so that it is safe in every log. */
const ACCEPTABLE = /^[\w.:/+=@-]{1,128}$/;

/** Makes identifiers: 64 random bits for the worker's life, then a count. */
export class RequestIds {
  readonly #prefix = randomBytes(8).toString('hex');
  #count = 0;

  next(): string {
    this.#count++;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }

  /** The peer's identifier where it is trusted and well-formed, else a new one. */
  of(isTrusted: boolean, given: string | undefined): string {
    if (isTrusted && given !== undefined && ACCEPTABLE.test(given)) return given;
    return this.next();
  }
}
