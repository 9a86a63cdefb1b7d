// Flow-control windows of HTTP/2 (RFC 9113 sections 5.2 and 6.9): one direction of a stream or of a connection.
// Thread: both.

const MAX_WINDOW_BYTES = 0x7fffffff;

/** Credit to send. Negative after the peer has reduced its initial window (section 6.9.2). */
export class SendWindow {
  #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Begins another stream. */
  reset(bytes: number): void {
    this.#bytes = bytes;
  }

  /** Bytes that may be sent now. */
  get available(): number {
    return Math.max(0, this.#bytes);
  }

  /** @param sizeBytes at most `available` */
  spend(sizeBytes: number): void {
    this.#bytes -= sizeBytes;
  }

  /** Applies a WINDOW_UPDATE or a changed initial window. @returns false beyond the largest window: an error */
  adjust(deltaBytes: number): boolean {
    this.#bytes += deltaBytes;
    return this.#bytes <= MAX_WINDOW_BYTES;
  }
}

/**
 * Credit granted to the peer. It is returned in batches: a WINDOW_UPDATE per frame would double the number of frames, and
 * one per empty window would stop the peer.
 */
export class ReceiveWindow {
  #sizeBytes: number;
  /** Bytes that the peer may still send. */
  #bytes: number;
  /** Received and consumed, but not yet returned as credit. */
  #owedBytes = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#bytes = sizeBytes;
  }

  /** Counts received bytes, padding included. @returns false if the peer may not have sent them: FLOW_CONTROL_ERROR */
  receive(sizeBytes: number): boolean {
    this.#bytes -= sizeBytes;
    return this.#bytes >= 0;
  }

  /** Counts consumed bytes. @returns the credit to return now, once it is half a window; otherwise 0 */
  consume(sizeBytes: number): number {
    this.#owedBytes += sizeBytes;
    if (this.#owedBytes * 2 < this.#sizeBytes) return 0;
    const credit = this.#owedBytes;
    this.#owedBytes = 0;
    this.#bytes += credit;
    return credit;
  }

  /** Enlarges the window by credit that the caller sends. */
  grow(creditBytes: number): void {
    this.#sizeBytes += creditBytes;
    this.#bytes += creditBytes;
  }
}
