// Scans the requests of one connection, one after the other, into one head; what a client sends again and again is
// compared, not scanned. Thread: worker.

import { frameRequest } from '../../http1/framing.ts';
import { type HeadScanner, type LastFields, Scan } from '../../http1/head-scanner.ts';
import { FastRequestHead } from '../../upstream/fast/fast-request-head.ts';
import type { HeldBytes } from '../../upstream/fast/held-bytes.ts';

/** Larger pieces aren't kept for comparison: a body came with the head, and would be kept with it. */
const MAX_KEPT_BYTES = 4096;

export class RequestScan implements LastFields {
  readonly head: FastRequestHead = new FastRequestHead();
  /** Of LastFields. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  readonly #scanner: HeadScanner;
  /** Of an incomplete head: how much of it was looked at. */
  #seenBytes = 0;
  #hasLast = false;

  constructor(scanner: HeadScanner) {
    this.#scanner = scanner;
  }

  /** @returns Scan.COMPLETE where `head` is scanned and framed, Scan.INCOMPLETE, or a CodecError */
  next(input: HeldBytes): number {
    const { message, framing } = this.head;
    const { bytes, start, end } = input;
    const last = this.#hasLast ? this : null;
    const result = this.#scanner.scanRequest(message, bytes, start, end, this.#seenBytes, last);
    if (result === Scan.INCOMPLETE) {
      this.#seenBytes = input.length;
      this.#hasLast = false;
      return Scan.INCOMPLETE;
    }
    this.#seenBytes = 0;
    // The same fields frame the same body, and are passed on as they were.
    if (result !== Scan.REPEATED) {
      this.head.forget();
      const error = result === Scan.COMPLETE ? frameRequest(message, framing) : result;
      this.#hasLast = error === 0 && bytes.length <= MAX_KEPT_BYTES;
      if (error !== 0) return error;
    }
    if (this.#hasLast) this.#keep(bytes, message.bodyStart);
    return Scan.COMPLETE;
  }

  #keep(bytes: Buffer, end: number): void {
    const { message } = this.head;
    this.bytes = bytes;
    this.end = end;
    this.start = end - (message.text.length - message.fieldsStart);
  }
}
