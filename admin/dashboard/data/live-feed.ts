// The event stream: opened with fetch, which can send a token, and reopened whenever it ends or stalls. Runs in the
// browser.

import type { FeedEvent, Live } from '../types.ts';
import { ApiError, request } from './api.ts';
import { EventParser, type Message } from './event-parser.ts';

/** Even a quiet stream has a comment every ten seconds. */
const SILENCE_MS = 15_000;
/** Kinds of events in the timeline; `status` is the other one. */
const KINDS = ['change', 'reload', 'maintenance', 'split', 'source', 'provider', 'membership'];
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

export interface FeedParts {
  readonly onStatus: (live: Live) => void;
  readonly onEvent: (event: FeedEvent) => void;
  readonly onOpen: () => void;
  /** Called at every attempt that fails. */
  readonly onLost: (why: string) => void;
  /** No attempt follows until `open` is called again. */
  readonly onTokenNeeded: () => void;
}

export class LiveFeed {
  readonly #parts: FeedParts;
  #parser = new EventParser();
  #run: AbortController | null = null;
  #retryMs = FIRST_RETRY_MS;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Opens the stream and keeps it open until `close`. */
  open(): void {
    this.close();
    const run = new AbortController();
    this.#run = run;
    this.#retryMs = FIRST_RETRY_MS;
    void this.#keepOpen(run.signal);
  }

  close(): void {
    this.#run?.abort();
    this.#run = null;
  }

  async #keepOpen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const error = await this.#readOnce(signal).catch((reason: unknown) => reason);
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

  /** Reads until the stream ends. */
  async #readOnce(signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal]);
    const last = this.#parser.lastEventId;
    this.#parser = new EventParser();
    this.#parser.lastEventId = last;
    const headers = { Accept: 'text/event-stream', ...(last === '' ? {} : { 'Last-Event-ID': last }) };
    let watch = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const { body } = await request('events', { headers, signal: either });
      const reader = body!.getReader();
      const decoder = new TextDecoder();
      this.#parts.onOpen();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        this.#retryMs = FIRST_RETRY_MS;
        clearTimeout(watch);
        watch = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const message of this.#parser.push(decoder.decode(piece.value, { stream: true }))) this.#pass(message);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  #pass({ event, data }: Message): void {
    if (event === 'status') this.#parts.onStatus(JSON.parse(data) as Live);
    else if (KINDS.includes(event)) this.#parts.onEvent(JSON.parse(data) as FeedEvent);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
