// Compresses one response body. A body that ends soon is compressed in one call, in its turn; a longer one passes a stream of
// zlib, which works on Node's thread pool and is flushed whenever the endpoint pauses. Thread: both.

import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { BodySink, BodyTransform } from '../../core/policy/policy.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { Coding } from './accept-encoding.ts';
import { CompressionQueue } from './compression-queue.ts';

const { constants } = zlib;

/** How much time is spent for how small a body. */
export const EFFORTS = ['fast', 'balanced', 'small'] as const;
export type Effort = (typeof EFFORTS)[number];

/**
 * Levels by coding and effort. Time for 64 KiB of JSON in one call (Node 26, one core) and bytes left: gzip 0.11 ms to
 * 8.3 KiB, 0.21 ms to 7.9 KiB; br 0.10 ms to 5.4 KiB, 0.26 ms to 5.2 KiB; zstd 0.09 ms to 3.6 KiB at both. `small` takes
 * three to four times as long as `balanced`.
 */
const LEVELS: Readonly<Record<Coding, Readonly<Record<Effort, number>>>> = {
  gzip: { fast: 1, balanced: 4, small: 7 },
  br: { fast: 1, balanced: 4, small: 6 },
  zstd: { fast: 1, balanced: 3, small: 9 },
};

const SMALLEST_RESULT_BYTES = 1024;
/** Window of br and zstd: bounds the memory of a stream (measured: gzip 0.25, br 0.7, zstd 0.85 MiB). */
const WINDOW_BITS = 18;
/** Bodies up to this size are compressed in one call, which blocks the worker for less than a millisecond. */
const WHOLE_BYTES = 65_536;
/**
 * An endpoint that sends nothing between two of these checks pauses. Two, because on a busy event loop a check may come
 * before bytes that have arrived are read.
 */
const CHECK_MS = 5;
/** Checks after which bytes are flushed although more arrive. */
const MOST_CHECKS = 10;

/** Memory kept for later bodies: 8 MiB in a worker. Memory outside the heap that is never used again costs collections. */
const MOST_SPARE = 128;
const SPARE: Buffer[] = [];
const NO_BYTES = Buffer.alloc(0);
/** Of all routes of a worker. */
const QUEUE = new CompressionQueue({ inNextTurn: setImmediate, nowMs: () => performance.now() });

function takeMemory(): Buffer {
  return SPARE.pop() ?? Buffer.allocUnsafeSlow(WHOLE_BYTES);
}

function giveMemory(memory: Buffer): void {
  if (SPARE.length < MOST_SPARE) SPARE.push(memory);
}

/** Services and settings that compressors of one policy share. */
export interface CompressorContext {
  readonly timers: Timers;
  /** The compressor is complete or cancelled. */
  readonly closed: () => void;
}

/** Compresses a whole body. */
export function compressWhole(body: Uint8Array, coding: Coding, effort: Effort): Buffer {
  // One piece of memory for the result, mostly: it is a fraction of the body.
  const chunkSize = Math.max(SMALLEST_RESULT_BYTES, body.byteLength >> 1);
  const options = { ...optionsOf(coding, effort, body.byteLength), chunkSize };
  if (coding === 'gzip') return zlib.gzipSync(body, options);
  return coding === 'br' ? zlib.brotliCompressSync(body, options) : zlib.zstdCompressSync(body, options);
}

export class Compressor implements BodyTransform {
  readonly #sink: BodySink;
  readonly #coding: Coding;
  readonly #effort: Effort;
  readonly #bodyBytes: number;
  readonly #context: CompressorContext;
  /** Memory for bytes that may still be compressed in one call; null before the first, and with a stream. */
  #held: Buffer | null = null;
  #heldBytes = 0;
  #stream: Transform | null = null;
  #timer: TimerHandle | null = null;
  /** Whether bytes have arrived since the last check, and checks since the first byte that was not flushed. */
  #hasArrived = false;
  #checks = 0;
  #isOver = false;

  /** @param bodyBytes length of the body; -1 where it is unknown */
  constructor(sink: BodySink, coding: Coding, effort: Effort, bodyBytes: number, context: CompressorContext) {
    this.#sink = sink;
    this.#coding = coding;
    this.#effort = effort;
    this.#bodyBytes = bodyBytes;
    this.#context = context;
  }

  write(chunk: Uint8Array): boolean {
    this.#flushLater();
    if (this.#bodyBytes > WHOLE_BYTES || this.#heldBytes + chunk.byteLength > WHOLE_BYTES) this.#startStream();
    // The chunk is a view of memory that is used again.
    if (this.#stream !== null) return this.#stream.write(Buffer.from(chunk));
    this.#held ??= takeMemory();
    this.#held.set(chunk, this.#heldBytes);
    this.#heldBytes += chunk.byteLength;
    return true;
  }

  end(): void {
    this.#timer?.cancel();
    if (this.#stream !== null) {
      this.#stream.end();
      return;
    }
    QUEUE.add(this.#compressHeld);
  }

  resume(): void {
    this.#stream?.resume();
  }

  cancel(): void {
    const stream = this.#stream;
    this.#close();
    if (stream === null) return;
    stream.removeAllListeners('data').removeAllListeners('end').removeAllListeners('drain');
    stream.destroy();
  }

  /** Without effect where there is a stream. */
  #startStream(): void {
    if (this.#stream !== null) return;
    const stream = streamOf(this.#coding, optionsOf(this.#coding, this.#effort, this.#bodyBytes));
    this.#stream = stream;
    stream.on('data', (bytes: Buffer) => {
      if (!this.#sink.data(bytes)) stream.pause();
    });
    stream.on('drain', () => this.#sink.ready());
    stream.on('end', () => {
      this.#close();
      this.#sink.end();
    });
    stream.on('error', (error) => {
      if (!this.#isOver) this.#sink.fail(error);
    });
    if (this.#held !== null) stream.write(Buffer.from(this.#held.subarray(0, this.#heldBytes)));
    this.#freeMemory();
  }

  readonly #compressHeld = (): void => {
    if (this.#isOver) return;
    const body = this.#held?.subarray(0, this.#heldBytes) ?? NO_BYTES;
    try {
      this.#sink.data(compressWhole(body, this.#coding, this.#effort));
    } catch (error) {
      this.#sink.fail(error as Error);
      return;
    }
    this.#close();
    this.#sink.end();
  };

  #freeMemory(): void {
    if (this.#held !== null) giveMemory(this.#held);
    this.#held = null;
    this.#heldBytes = 0;
  }

  #flushLater(): void {
    this.#hasArrived = true;
    if (this.#timer !== null) return;
    this.#checks = 0;
    this.#timer = this.#context.timers.after(CHECK_MS, this.#check);
  }

  /** Flushes what was received, unless the endpoint is still sending. */
  readonly #check = (): void => {
    if (this.#hasArrived && this.#checks < MOST_CHECKS) {
      this.#hasArrived = false;
      this.#checks++;
      this.#timer = this.#context.timers.after(CHECK_MS, this.#check);
      return;
    }
    this.#timer = null;
    this.#startStream();
    const stream = this.#stream as unknown as { flush(kind: number): void };
    stream.flush(FLUSH[this.#coding]);
  };

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#freeMemory();
    this.#context.closed();
  }
}

const FLUSH: Readonly<Record<Coding, number>> = {
  gzip: constants.Z_SYNC_FLUSH,
  br: constants.BROTLI_OPERATION_FLUSH,
  zstd: constants.ZSTD_e_flush,
};

function streamOf(coding: Coding, options: object): Transform {
  if (coding === 'gzip') return zlib.createGzip(options);
  return coding === 'br' ? zlib.createBrotliCompress(options) : zlib.createZstdCompress(options);
}

/** @param bodyBytes length of the body; -1 where it is unknown */
function optionsOf(coding: Coding, effort: Effort, bodyBytes: number): object {
  const level = LEVELS[coding][effort];
  if (coding === 'gzip') return { level };
  if (coding === 'zstd') {
    return { params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_BITS } };
  }
  const sized = bodyBytes > 0 ? { [constants.BROTLI_PARAM_SIZE_HINT]: bodyBytes } : {};
  return {
    params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS, ...sized },
  };
}
