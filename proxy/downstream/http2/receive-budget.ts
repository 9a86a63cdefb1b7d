// Receive windows of a connection's uploads: every stream begins with a small one, and those that their endpoint keeps up
// with grow, within a budget of the connection. Thread: worker.

import { ReceiveWindow } from '../../http2/flow-window.ts';

/**
 * SETTINGS_INITIAL_WINDOW_SIZE. What a client can make us hold is bounded by the windows of its streams: 256 of these are
 * 16 MiB.
 */
export const INITIAL_WINDOW_BYTES = 65_535;
/** The largest window of one stream: 40 MiB/s at a round trip of 50 ms. */
const MAX_WINDOW_BYTES = 2_097_152;
/** By how much all windows of a connection may have grown: a client that sends fast and is then held back fills them. */
const GROWTH_BYTES = 8_388_608;
/** An upload that uses half its window within this time is limited by the window where the round trip is long. */
const FAST_MS = 250;

/**
 * Window of the connection. Its credit is returned when bytes arrive, whoever they are for: a stream that is held back must
 * not stop the others (RFC 9113 section 5.2.2). The windows of the streams bound what is held.
 */
export const CONNECTION_WINDOW_BYTES = 4_194_304;

/** One per connection. */
export class ReceiveBudget {
  #growthBytes = GROWTH_BYTES;

  take(sizeBytes: number): boolean {
    if (sizeBytes > this.#growthBytes) return false;
    this.#growthBytes -= sizeBytes;
    return true;
  }

  give(sizeBytes: number): void {
    this.#growthBytes += sizeBytes;
  }
}

/** The window of one stream. */
export class UploadWindow {
  readonly #budget: ReceiveBudget;
  #window: ReceiveWindow = new ReceiveWindow(INITIAL_WINDOW_BYTES);
  #sizeBytes = INITIAL_WINDOW_BYTES;
  /** Monotonic ms of the last credit. */
  #creditMs = 0;
  #isFresh = true;

  constructor(budget: ReceiveBudget) {
    this.#budget = budget;
  }

  /** Begins another stream. */
  begin(nowMs: number): void {
    this.#creditMs = nowMs;
    if (this.#isFresh) return;
    this.#window = new ReceiveWindow(INITIAL_WINDOW_BYTES);
    this.#isFresh = true;
  }

  /** Counts received bytes, padding included. @returns false if the client may not have sent them */
  receive(sizeBytes: number): boolean {
    this.#isFresh = false;
    return this.#window.receive(sizeBytes);
  }

  /** Counts bytes that the exchange has taken, or that were dropped. @returns the credit to send now; mostly 0 */
  consume(sizeBytes: number, nowMs: number): number {
    const credit = this.#window.consume(sizeBytes);
    if (credit === 0) return 0;
    const isFast = nowMs - this.#creditMs < FAST_MS;
    this.#creditMs = nowMs;
    const growth = Math.min(this.#sizeBytes, MAX_WINDOW_BYTES - this.#sizeBytes);
    if (!isFast || growth <= 0 || !this.#budget.take(growth)) return credit;
    this.#sizeBytes += growth;
    this.#window.grow(growth);
    return credit + growth;
  }

  /** The stream has ended: what it had grown by is another's to use. */
  end(): void {
    this.#budget.give(this.#sizeBytes - INITIAL_WINDOW_BYTES);
    this.#sizeBytes = INITIAL_WINDOW_BYTES;
  }
}
