// Lingering close (RFC 9112 section 9.6): bounds on reading a connection whose last response has been written, so that
// a reset caused by unread bytes doesn't destroy the response before the client has read it. Thread: worker.

/** Read of an unwanted body so that the connection can be reused: about one round trip's worth. */
export const MAX_DISCARD_BYTES = 65_536;
/** Time for that rest to arrive. */
export const DISCARD_LIMIT_MS = 1000;

/** A client whose request is complete only has to send FIN: a long round trip. */
const IDLE_LIMIT_MS = 1000;
/** A client that is still sending a body may pause (a slow disk, a congested uplink) before it sees our FIN. */
const BODY_IDLE_LIMIT_MS = 5000;
/** Time for a client that sends its whole body before it reads. nginx's lingering_time is the same. */
const TOTAL_LIMIT_MS = 30_000;
/** Bounds the traffic that a client can waste; memory isn't at stake, since the bytes are dropped. */
const MAX_LINGER_BYTES = 256 * 1024 * 1024;

export class LingeringClose {
  readonly #beganMs: number;
  readonly #idleLimitMs: number;
  #lastByteMs: number;
  /** All counts are of socket.bytesRead. */
  readonly #firstByte: number;
  #readBytes: number;

  /** @param isBodyDue whether the client has not sent the whole request yet */
  constructor(nowMs: number, isBodyDue: boolean, bytesRead: number) {
    this.#firstByte = bytesRead;
    this.#readBytes = bytesRead;
    this.#beganMs = nowMs;
    this.#lastByteMs = nowMs;
    this.#idleLimitMs = isBodyDue ? BODY_IDLE_LIMIT_MS : IDLE_LIMIT_MS;
  }

  /** Records progress; the caller drops the bytes. @returns false where they are too many: close at once */
  readUpTo(bytesRead: number, nowMs: number): boolean {
    if (bytesRead > this.#readBytes) this.#lastByteMs = nowMs;
    this.#readBytes = bytesRead;
    return bytesRead - this.#firstByte <= MAX_LINGER_BYTES;
  }

  /** Records progress; the caller has sent everything. @returns whether the connection must be closed */
  isOver(bytesRead: number, nowMs: number): boolean {
    return !this.readUpTo(bytesRead, nowMs) || this.delayMs(nowMs, true, 0) === 0;
  }

  /**
   * Time until the connection is to be checked again, in ms; 0 where it must be closed.
   * @param isSent whether our own last bytes have been sent: until then the client has the send timeout for them
   */
  delayMs(nowMs: number, isSent: boolean, sendIdleMs: number): number {
    const idleLeftMs = this.#lastByteMs + this.#idleLimitMs - nowMs;
    const leftMs = Math.min(idleLeftMs, this.#beganMs + TOTAL_LIMIT_MS - nowMs);
    if (leftMs > 0 || isSent) return Math.max(0, leftMs);
    return Math.max(0, Math.min(this.#beganMs + sendIdleMs - nowMs, IDLE_LIMIT_MS));
  }
}
