// The event stream: opened with fetch, which can send a token, and reopened whenever it ends or stalls. Runs in the
// browser.

/** @import { FeedEvent, Live } from './types.d.ts' */

import { ApiError, request } from './api.js';
import { EventParser } from './event-parser.js';

/** Even a quiet stream has a comment every ten seconds. */
const SILENCE_MS = 15_000;
/** Kinds of events in the list; `status` is the other one. */
const KINDS = ['change', 'reload', 'maintenance', 'split'];
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/**
 * @typedef {object} FeedParts
 * @property {(live: Live) => void} onStatus
 * @property {(event: FeedEvent) => void} onEvent
 * @property {() => void} onOpen
 * @property {(why: string) => void} onLost called at every attempt that fails
 * @property {() => void} onTokenNeeded nothing more is tried until `open` is called again
 */

export class LiveFeed {
  #parts;
  #parser = new EventParser();
  /** @type {AbortController | null} */
  #run = null;
  #retryMs = FIRST_RETRY_MS;

  /** @param {FeedParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Opens the stream and keeps it open until `close`. */
  open() {
    this.close();
    const run = new AbortController();
    this.#run = run;
    this.#retryMs = FIRST_RETRY_MS;
    void this.#keepOpen(run.signal);
  }

  close() {
    this.#run?.abort();
    this.#run = null;
  }

  /** @param {AbortSignal} signal */
  async #keepOpen(signal) {
    while (!signal.aborted) {
      const error = await this.#readOnce(signal).catch((/** @type {unknown} */ reason) => reason);
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) {
        this.#parts.onTokenNeeded();
        return;
      }
      this.#parts.onLost(error instanceof ApiError ? error.message : 'the connection to Fairlead is lost');
      await pause(this.#retryMs);
      this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
    }
  }

  /** Reads until the stream ends. @param {AbortSignal} signal */
  async #readOnce(signal) {
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal]);
    const last = this.#parser.lastEventId;
    this.#parser = new EventParser();
    this.#parser.lastEventId = last;
    const headers = { Accept: 'text/event-stream', ...(last === '' ? {} : { 'Last-Event-ID': last }) };
    let watch = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const { body } = await request('events', { headers, signal: either });
      const reader = /** @type {ReadableStream<Uint8Array>} */ (body).getReader();
      const decoder = new TextDecoder();
      this.#parts.onOpen();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        this.#retryMs = FIRST_RETRY_MS;
        clearTimeout(watch);
        watch = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const message of this.#parser.push(decoder.decode(piece.value, { stream: true }))) this.#tell(message);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  /** @param {{ event: string, data: string }} message */
  #tell({ event, data }) {
    if (event === 'status') this.#parts.onStatus(JSON.parse(data));
    else if (KINDS.includes(event)) this.#parts.onEvent(JSON.parse(data));
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
