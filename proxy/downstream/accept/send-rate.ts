// Minimum rate at which a client must read its response while we have bytes waiting for it. Thread: worker.

import type { Socket } from 'node:net';

/**
 * Bytes per second, averaged over one send timeout. A client that takes a few bytes now and then resets every idle
 * timeout and would hold a response's memory and its endpoint connection for hours (slow read attack). Kestrel's default
 * is the same; a link that is slower than this fails anyway.
 */
const MIN_SEND_BYTES_PER_S = 240;

/** Fields of a socket's libuv handle; public in effect, since node:net itself relies on them for its timeouts. */
interface HandleCounters {
  readonly _handle: { readonly bytesWritten: number; readonly writeQueueSize: number } | null;
}

/** Bytes that the kernel has taken: node:net counts a write as a whole, however long it waits in libuv. */
function acceptedBytes(raw: Socket): number {
  const handle = (raw as unknown as HandleCounters)._handle;
  return handle === null ? 0 : handle.bytesWritten - handle.writeQueueSize;
}

export class SendRate {
  readonly #raw: Socket;
  #isRunning = false;
  #sinceMs = 0;
  #bytes = 0;

  /** @param raw the TCP socket, also under TLS */
  constructor(raw: Socket) {
    this.#raw = raw;
  }

  /** Starts a window unless one is running: bytes wait for the client. */
  begin(nowMs: number): void {
    if (!this.#isRunning) this.#startWindow(nowMs);
  }

  /** No bytes wait for the client. */
  end(): void {
    this.#isRunning = false;
  }

  /** Whether a window of at least `windowMs` has passed in which the client took too little. Starts the next window. */
  isTooSlow(nowMs: number, windowMs: number): boolean {
    const passedMs = nowMs - this.#sinceMs;
    if (!this.#isRunning || passedMs < windowMs) return false;
    const takenBytes = acceptedBytes(this.#raw) - this.#bytes;
    this.#startWindow(nowMs);
    return takenBytes < (MIN_SEND_BYTES_PER_S * passedMs) / 1000;
  }

  #startWindow(nowMs: number): void {
    this.#isRunning = true;
    this.#sinceMs = nowMs;
    this.#bytes = acceptedBytes(this.#raw);
  }
}
