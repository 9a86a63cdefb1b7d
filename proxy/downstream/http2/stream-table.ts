// The streams of one HTTP/2 connection by the states of RFC 9113 section 5.1: open ones, those that were reset, and which
// identifiers are idle or closed. Thread: worker.

import type { Http2Counts } from '../accept/http2-counts.ts';
import type { Http2Stream } from './http2-stream.ts';

/**
 * Streams that were reset and whose frames may still be on their way. More than may be open at a time: a client that resets
 * all of them may have sent frames on each.
 */
const RESETS = 512;
/** Spare streams of a connection, some 3 KiB each: twice what browsers and load generators mostly use at a time. */
const MAX_SPARE = 32;

/** States of a stream that isn't open. */
export const Closed = {
  /** The client has not begun it. */
  IDLE: 0,
  /** We have reset it: the client may not know that yet. */
  RESET_BY_US: 1,
  RESET_BY_CLIENT: 2,
  /** Both sides have ended it. */
  ENDED: 3,
} as const;
export type Closed = (typeof Closed)[keyof typeof Closed];

export class StreamTable {
  readonly open: Map<number, Http2Stream> = new Map();
  /** The last stream that the client has begun. */
  lastId = 0;
  /** The client has sent GOAWAY: the end of its connection is no half-close. */
  hasClientLeft = false;
  readonly counts: Http2Counts;
  /** Whether the client has acknowledged our SETTINGS. */
  hasAcknowledged = false;
  readonly #limit: number;
  readonly #spare: Http2Stream[] = [];
  /** A ring of identifiers, those of the client's resets negative. Allocated with the first reset. */
  #resets: Int32Array | null = null;
  #resetCount = 0;

  /** @param limit of open streams */
  constructor(counts: Http2Counts, limit: number) {
    this.counts = counts;
    this.#limit = limit;
  }

  /** Whether the client has as many streams open as it may have. */
  get isFull(): boolean {
    return this.open.size >= this.#limit;
  }

  add(id: number, stream: Http2Stream): void {
    this.open.set(id, stream);
    this.counts.streams(1);
  }

  delete(id: number): void {
    if (this.open.delete(id)) this.counts.streams(-1);
  }

  noteReset(id: number, isByClient: boolean): void {
    if (isByClient) this.counts.resetReceived();
    else this.counts.resetSent();
    this.#resets ??= new Int32Array(RESETS);
    this.#resets[this.#resetCount % RESETS] = isByClient ? -id : id;
    this.#resetCount += 1;
  }

  /** The state of a stream that isn't open. */
  stateOf(id: number): Closed {
    // Streams of a server are never begun: nothing is pushed.
    if (id > this.lastId || id % 2 === 0) return Closed.IDLE;
    if (this.#resets?.includes(id) === true) return Closed.RESET_BY_US;
    return this.#resets?.includes(-id) === true ? Closed.RESET_BY_CLIENT : Closed.ENDED;
  }

  takeSpare(): Http2Stream | undefined {
    return this.#spare.pop();
  }

  giveSpare(stream: Http2Stream): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(stream);
  }

  /** Frees the memory of an idle connection. */
  dropSpare(): void {
    this.#spare.length = 0;
  }

  /** The connection is lost, and all open streams with it. */
  loseAll(): void {
    for (const stream of this.open.values()) stream.lost();
    this.counts.streams(-this.open.size);
    this.open.clear();
  }

  /** Ends the streams whose request isn't whole, or all after GOAWAY: the client sends nothing more. */
  loseUnfinished(): void {
    for (const stream of this.open.values()) {
      if (stream.body.isComplete && !this.hasClientLeft) continue;
      this.delete(stream.id);
      stream.lost();
    }
  }
}
