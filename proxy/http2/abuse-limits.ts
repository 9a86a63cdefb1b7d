// Limits on work that a peer causes without letting us do any for it: one account per connection. A method that returns
// false means: end the connection with ENHANCE_YOUR_CALM. Thread: both.

import type { Clock } from '../../core/clock.ts';
import { DEFAULT_MAX_FRAME_BYTES } from './frame-format.ts';

interface BucketSize {
  /** Tokens of a full bucket: a burst that an honest peer may cause. */
  readonly burst: number;
  /** Tokens returned per second: what it may cause for ever. */
  readonly perSecond: number;
}

/**
 * Streams that the peer resets before a response head and sooner than any deadline or user would (rapid reset,
 * CVE-2023-44487). A browser that leaves a page cancels its 100 streams at once, and a search field one with each key; both
 * are older than RAPID_RESET_MS as a rule. An attacker gains nothing from 100 requests per second.
 */
const RAPID_RESETS: BucketSize = { burst: 200, perSecond: 100 };
const RAPID_RESET_MS = 20;

/**
 * Faults for which we reset a stream or refuse a request: each may have cost an exchange, which is cancelled while the
 * stream no longer counts as open (MadeYouReset, CVE-2025-8671). A proxy with the users of many programs behind it may send
 * some; a program that sends more is broken.
 */
const STREAM_FAULTS: BucketSize = { burst: 100, perSecond: 10 };

/** Streams beyond SETTINGS_MAX_CONCURRENT_STREAMS: a client may open any number before it has seen our SETTINGS. */
const REFUSED_STREAMS: BucketSize = { burst: 1000, perSecond: 100 };

/**
 * Frames that carry no payload of a message. An honest client sends them in proportion to messages and bytes, which earn
 * tokens, or by a timer. 10,000 frames cost us about 10 ms of CPU (floods: CVE-2019-9512, 9513, 9515, 9518).
 */
const CONTROL_FRAMES: BucketSize = { burst: 10_000, perSecond: 1000 };
/** A request comes with PRIORITY, PRIORITY_UPDATE and WINDOW_UPDATE. */
const TOKENS_PER_REQUEST = 4;
/** Clients return the credit of each DATA frame at once, on the stream and on the connection. */
const TOKENS_PER_DATA_SENT = 2;
/** An acknowledgement and new windows for all streams. */
const SETTINGS_COST = 10;
/** An empty DATA frame without END_STREAM has no purpose but padding. */
const EMPTY_DATA_COST = 10;

/**
 * DATA frames of few bytes, which cost as much as large ones (CVE-2019-9511). Streaming RPCs send messages of a few bytes each
 * by the thousand; 20,000 frames per second are less than a tenth of a core.
 */
const SMALL_DATA_FRAMES: BucketSize = { burst: 50_000, perSecond: 20_000 };
/** Bytes for which a DATA frame may take a token: a longer one earns more than it takes. */
const BYTES_PER_DATA_FRAME = 64;

class TokenBucket {
  readonly #size: BucketSize;
  readonly #clock: Clock;
  #tokens: number;
  #refilledMs: number;

  constructor(size: BucketSize, clock: Clock) {
    this.#size = size;
    this.#clock = clock;
    this.#tokens = size.burst;
    this.#refilledMs = clock.nowMs();
  }

  /** @returns whether there were so many tokens. The clock is read only when they run out */
  take(tokens: number): boolean {
    if (this.#tokens < tokens) this.#refill();
    this.#tokens -= tokens;
    return this.#tokens >= 0;
  }

  give(tokens: number): void {
    this.#tokens = Math.min(this.#size.burst, this.#tokens + tokens);
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs();
    this.give(((nowMs - this.#refilledMs) * this.#size.perSecond) / 1000);
    this.#refilledMs = nowMs;
  }
}

export class AbuseLimits {
  readonly #clock: Clock;
  readonly #resets: TokenBucket;
  readonly #faults: TokenBucket;
  readonly #refused: TokenBucket;
  readonly #control: TokenBucket;
  readonly #smallData: TokenBucket;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#resets = new TokenBucket(RAPID_RESETS, clock);
    this.#faults = new TokenBucket(STREAM_FAULTS, clock);
    this.#refused = new TokenBucket(REFUSED_STREAMS, clock);
    this.#control = new TokenBucket(CONTROL_FRAMES, clock);
    this.#smallData = new TokenBucket(SMALL_DATA_FRAMES, clock);
  }

  /** A request begins. */
  requestBegan(): void {
    this.#control.give(TOKENS_PER_REQUEST);
  }

  /**
   * RST_STREAM of the peer for an open stream.
   * @param beganMs when the stream began
   * @param hasResponse whether its response head was sent
   */
  mayReset(beganMs: number, hasResponse: boolean): boolean {
    const isRapid = !hasResponse && this.#clock.nowMs() - beganMs < RAPID_RESET_MS;
    return isRapid ? this.#resets.take(1) : this.#control.take(1);
  }

  /** A stream error, or a request that is refused for its head. */
  mayFault(): boolean {
    return this.#faults.take(1);
  }

  /** A stream beyond our limit. */
  mayExceedStreams(): boolean {
    return this.#refused.take(1);
  }

  /**
   * PING, PRIORITY, PRIORITY_UPDATE, WINDOW_UPDATE, GOAWAY, a frame of an unknown type, or one for a stream that has closed.
   */
  mayControl(): boolean {
    return this.#control.take(1);
  }

  maySendSettings(): boolean {
    return this.#control.take(SETTINGS_COST);
  }

  /** @param bytes of payload, without padding */
  mayReceiveData(bytes: number, isEndStream: boolean): boolean {
    if (bytes > BYTES_PER_DATA_FRAME) this.#smallData.give(bytes / BYTES_PER_DATA_FRAME - 1);
    else if (bytes === 0 && !isEndStream) return this.#control.take(EMPTY_DATA_COST);
    return bytes > BYTES_PER_DATA_FRAME || this.#smallData.take(1);
  }

  /** A DATA frame was sent. An empty one, or one of a few bytes, for a window that is opened by the byte, earns nothing. */
  dataSent(bytes: number): void {
    if (bytes >= BYTES_PER_DATA_FRAME) this.#control.give(TOKENS_PER_DATA_SENT);
  }

  /** Bytes were sent in frames of full length, and a last one. */
  bytesSent(bytes: number): void {
    for (let left = bytes; left > 0; left -= DEFAULT_MAX_FRAME_BYTES) {
      this.dataSent(Math.min(left, DEFAULT_MAX_FRAME_BYTES));
    }
  }
}
