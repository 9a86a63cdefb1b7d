// X-Request-Id: one for every exchange, unique over workers and restarts. Thread: worker.

import { randomBytes } from 'node:crypto';
import { latin1Text } from '../http1/latin1.ts';

/** What is taken over from a trusted peer: visible ASCII without quotes, so that it is safe in every log. */
const ACCEPTABLE = /^[\w.:/+=@-]{1,128}$/;

const DIGITS = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
/** Of the count: 36^8 identifiers are a year of 90,000 a second. */
const COUNT_DIGITS = 8;

/** Makes identifiers: 64 random bits for the worker's life, then a count. */
export class RequestIds {
  /** The last identifier. Counted up in place: a number formatted and put together costs five times as much. */
  readonly #last: Buffer = Buffer.from(`${randomBytes(8).toString('hex')}-${'0'.repeat(COUNT_DIGITS)}`);
  /** Which digit each digit of the count is, the lowest first. */
  readonly #count = new Uint8Array(COUNT_DIGITS);

  next(): string {
    const end = this.#last.length - 1;
    for (let place = 0; place < COUNT_DIGITS; place += 1) {
      const digit = (this.#count[place]! + 1) % DIGITS.length;
      this.#count[place] = digit;
      this.#last[end - place] = DIGITS[digit]!;
      if (digit !== 0) break;
    }
    return latin1Text(this.#last, 0, this.#last.length);
  }

  /** The peer's identifier where it is trusted and well-formed, else a new one. */
  of(isTrusted: boolean, given: string | undefined): string {
    if (isTrusted && given !== undefined && ACCEPTABLE.test(given)) return given;
    return this.next();
  }
}
