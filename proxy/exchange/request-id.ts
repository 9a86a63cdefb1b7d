// Request ids (X-Request-Id): one for each exchange, unique across workers and restarts. Thread: worker.

import { randomBytes } from 'node:crypto';
import { latin1Text } from '../http1/latin1.ts';

/** Form of ids accepted from trusted peers: visible ASCII without quotes, safe in every log. */
const ACCEPTABLE = /^[\w.:/+=@-]{1,128}$/;

const DIGITS = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
/** Digits of the count: 36^8 ids last for a year at 90,000 a second. */
const COUNT_DIGITS = 8;

/** Generates ids: 64 random bits per worker start, then a count. */
export class RequestIds {
  /** The last id, incremented in place: formatting a number costs five times as much. */
  readonly #last: Buffer = Buffer.from(`${randomBytes(8).toString('hex')}-${'0'.repeat(COUNT_DIGITS)}`);
  /** Digits of the count, the lowest first. */
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

  /** The id that a trusted peer has given, if it is well-formed; else a new one. */
  of(given: string | undefined): string {
    return given !== undefined && ACCEPTABLE.test(given) ? given : this.next();
  }
}
