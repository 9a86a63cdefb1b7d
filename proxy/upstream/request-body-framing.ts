// The framing of a request body on its way to an endpoint: chunked, or exactly as many bytes as announced.
// Thread: worker.

import { UNKNOWN_LENGTH } from '../../core/head.ts';

/**
 * Reused for each request of a connection. A body that is longer than announced would be read as the next request
 * (request smuggling); one that is shorter would take the next request's first bytes.
 */
export class RequestBodyFraming {
  isChunked = false;
  /** Whether the request was sent completely. */
  isEnded = true;
  /** Announced bytes that were not sent yet. */
  #remainingBytes = 0;

  /** @param bodyLength as in RequestHead */
  begin(bodyLength: number): void {
    this.isChunked = bodyLength === UNKNOWN_LENGTH;
    this.isEnded = bodyLength === 0;
    this.#remainingBytes = this.isChunked ? Number.POSITIVE_INFINITY : bodyLength;
  }

  /** Counts a chunk. @returns whether it fits the announced length */
  add(sizeBytes: number): boolean {
    this.#remainingBytes -= sizeBytes;
    return this.#remainingBytes >= 0;
  }

  /** Ends the body. @returns whether it has the announced length */
  end(): boolean {
    if (!this.isChunked && this.#remainingBytes > 0) return false;
    this.isEnded = true;
    return true;
  }

  /** Discards the rest of the body: nothing more is sent on the connection. */
  abandon(): void {
    this.isEnded = true;
  }
}
