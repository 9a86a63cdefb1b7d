// Writes one chunk of log lines at a time to its sink, in pieces, and retries while the sink is full. Thread: both.

import fs from 'node:fs';
import type { Timers } from '../../core/timers.ts';
import type { Chunk } from './log-chunk.ts';
import type { LogSink } from './log-sink.ts';
import { codeOf } from './log-trouble.ts';

/** Delay in ms before a full pipe is retried. */
const RETRY_MS = 20;

/** Called when a chunk has been written, or dropped because of `error`. */
export type OnChunkEnd = (chunk: Chunk, sink: LogSink, error: unknown) => void;

/** A chunk stays with the sink that it began with, so that a reopened file doesn't split it. */
export class LogWriter {
  readonly #timers: Timers;
  readonly #onEnd: OnChunkEnd;
  #chunk: Chunk | null = null;
  #sink: LogSink | null = null;

  constructor(timers: Timers, onEnd: OnChunkEnd) {
    this.#timers = timers;
    this.#onEnd = onEnd;
  }

  /** The chunk that is being written. */
  get chunk(): Chunk | null {
    return this.#chunk;
  }

  /** Its sink. */
  get sink(): LogSink | null {
    return this.#sink;
  }

  /** Starts to write a chunk; call it only while none is being written. May finish before it returns. */
  begin(chunk: Chunk, sink: LogSink): void {
    this.#chunk = chunk;
    this.#sink = sink;
    this.#writePieces();
  }

  /** Takes the chunk back from a full sink. Null where there is none, or the thread pool is writing it. */
  takeBack(): Chunk | null {
    const chunk = this.#chunk;
    if (this.#sink?.isNonblocking !== true) return null;
    this.#chunk = null;
    this.#sink = null;
    return chunk;
  }

  readonly #writePieces = (): void => {
    const chunk = this.#chunk;
    const sink = this.#sink;
    if (chunk === null || sink === null) return;
    while (chunk.begin < chunk.end) {
      const length = chunk.endOfPiece(sink.writeBytes) - chunk.begin;
      if (!sink.isNonblocking) {
        fs.write(sink.fd, chunk.bytes, chunk.begin, length, null, this.#onWritten);
        return;
      }
      try {
        chunk.begin += fs.writeSync(sink.fd, chunk.bytes, chunk.begin, length, null);
      } catch (error) {
        this.#onFailed(error);
        return;
      }
    }
    this.#end(null);
  };

  readonly #onWritten = (error: Error | null, written: number): void => {
    if (error !== null) this.#onFailed(error);
    else {
      this.#chunk!.begin += written;
      this.#writePieces();
    }
  };

  #onFailed(error: unknown): void {
    if (isFull(error)) this.#timers.after(RETRY_MS, this.#writePieces);
    else this.#end(error);
  }

  #end(error: unknown): void {
    const chunk = this.#chunk!;
    const sink = this.#sink!;
    this.#chunk = null;
    this.#sink = null;
    this.#onEnd(chunk, sink, error);
  }
}

/** Writes a chunk before it returns; retries a full sink until `deadlineMs` (of performance.now). @throws Error */
export function writeAll(chunk: Chunk, sink: LogSink, deadlineMs: number): void {
  while (chunk.begin < chunk.end) {
    const length = chunk.endOfPiece(sink.writeBytes) - chunk.begin;
    try {
      chunk.begin += fs.writeSync(sink.fd, chunk.bytes, chunk.begin, length, null);
    } catch (error) {
      if (!isFull(error) || performance.now() > deadlineMs) throw error;
      Atomics.wait(neverNotified, 0, 0, RETRY_MS);
    }
  }
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4));

function isFull(error: unknown): boolean {
  return codeOf(error) === 'EAGAIN';
}
