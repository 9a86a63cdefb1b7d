// Buffers log lines and writes them in large pieces. When the sink fails or is slow, lines are dropped and counted, nothing
// is thrown, and memory stays bounded. Thread: both.

import type { TimerHandle, Timers } from '../../core/timers.ts';
import { Chunk, CHUNK_BYTES } from './log-chunk.ts';
import { closeSink, type LogSink, NO_SINK, openSink } from './log-sink.ts';
import type { DestinationParts, LineDestination } from './line-destination.ts';
import { codeOf, LogTroubles } from './log-trouble.ts';
import { LogWriter, type OnChunkEnd, writeAll } from './log-writer.ts';

/** Longest time in ms that a line stays buffered. */
const FLUSH_MS = 100;
/** Full chunks that wait for a slow sink: 4 MiB, enough for a disk that pauses for a second. More lines are dropped. */
const MAX_WAITING_CHUNKS = 64;
/** Longest time in ms that `close` and `flushNow` wait for a sink that accepts nothing. */
const CLOSE_MS = 1000;

export interface LogDestinationOptions extends DestinationParts {
  /** 'stdout', 'stderr' or a file's path. */
  readonly output: string;
  /** Longest time in ms that a line stays buffered; default: 100. */
  readonly flushMs?: number;
}

/** One per output and thread. */
export class LogDestination implements LineDestination {
  readonly #output: string;
  readonly #timers: Timers;
  readonly #flushMs: number;
  readonly #troubles: LogTroubles;
  readonly #onLost: (lines: number) => void;
  readonly #writer: LogWriter;
  #sink: LogSink;
  #filling = new Chunk();
  readonly #waiting: Chunk[] = [];
  /** A spare chunk, so that a steady stream of lines allocates none. */
  #spare: Chunk | null = null;
  /** Whether the last line in the sink is incomplete. */
  #isTorn = false;
  #isClosed = false;
  #flushTimer: TimerHandle | null = null;
  #whenIdle: (() => void) | null = null;

  /** @throws Error of the system when the output can't be opened. */
  constructor(options: LogDestinationOptions) {
    this.#output = options.output;
    this.#timers = options.timers;
    this.#flushMs = options.flushMs ?? FLUSH_MS;
    this.#troubles = new LogTroubles(options.output, options.timers, options.onTrouble);
    this.#onLost = options.onLost ?? ignore;
    this.#writer = new LogWriter(options.timers, this.#onChunkEnd);
    this.#sink = openSink(options.output);
  }

  /** Lines lost since the start. */
  get droppedLines(): number {
    return this.#troubles.droppedLines;
  }

  /** Appends a line, which ends in a line feed. Never throws and never waits. */
  append(line: string): void {
    // A UTF-16 unit takes at most three bytes: mostly there is room, without measuring.
    if ((this.#isClosed || line.length * 3 > this.#filling.room) && !this.#makeRoom(line)) return;
    this.#filling.add(line);
    this.#flushTimer ??= this.#timers.after(this.#flushMs, this.#onFlushTimer);
  }

  /** Counts lost lines. @param code see LogTrouble */
  lose(code: string, lines: number): void {
    this.#onLost(lines);
    this.#troubles.add(code, lines);
  }

  /** Begins to write the buffered lines. */
  flush(): void {
    this.#seal();
    this.#pump();
  }

  /**
   * Reopens the file, after a log rotation has renamed it (USR1). Where that fails, the old one is kept and the error is
   * reported. Does nothing to standard output and standard error.
   */
  reopen(): void {
    if (this.#isClosed || this.#output === 'stdout' || this.#output === 'stderr') return;
    this.flush();
    try {
      this.#replaceSink(openSink(this.#output));
    } catch (error) {
      this.#troubles.add(codeOf(error), 0);
    }
  }

  /** Writes buffered lines, waiting at most a second, and closes. Later lines are dropped. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.flush();
    this.#isClosed = true;
    if (this.#writer.chunk !== null) await this.#idle();
    this.#flushTimer?.cancel();
    this.#drop('SLOW', this.#writer.takeBack(), ...this.#waiting.splice(0));
    this.#troubles.report();
    this.#replaceSink(NO_SINK);
  }

  /**
   * Writes buffered lines before it returns, waiting at most a second: for a thread that is about to end. A chunk that
   * the thread pool is writing is not waited for.
   */
  flushNow(): void {
    this.#seal();
    const deadlineMs = performance.now() + CLOSE_MS;
    const sink = this.#writer.sink ?? this.#sink;
    const begun = this.#writer.takeBack();
    for (const chunk of [...(begun === null ? [] : [begun]), ...this.#waiting.splice(0)]) {
      try {
        writeAll(chunk, chunk === begun ? sink : this.#sink, deadlineMs);
      } catch (error) {
        this.#drop(codeOf(error), chunk);
      }
    }
    this.#troubles.report();
  }

  /** Closes the old sink now, or when its last chunk has been written. */
  #replaceSink(sink: LogSink): void {
    const old = this.#sink;
    this.#sink = sink;
    this.#isTorn = false;
    if (this.#writer.sink !== old) closeSink(old);
  }

  readonly #onFlushTimer = (): void => {
    this.#flushTimer = null;
    this.flush();
  };

  /** Makes room for a line in a new chunk. @returns false where the line was dropped */
  #makeRoom(line: string): boolean {
    const sizeBytes = Buffer.byteLength(line);
    if (this.#isClosed) this.lose('CLOSED', 1);
    else if (sizeBytes <= this.#filling.room) return true;
    else if (sizeBytes > CHUNK_BYTES) this.lose('TOO_LONG', 1);
    else if (!this.#seal()) this.lose('SLOW', 1);
    else {
      this.#pump();
      return true;
    }
    return false;
  }

  /** Queues the chunk that is being filled. @returns false where the queue is full */
  #seal(): boolean {
    if (this.#filling.isEmpty) return true;
    if (this.#waiting.length >= MAX_WAITING_CHUNKS) return false;
    this.#waiting.push(this.#filling);
    this.#filling = this.#spare ?? new Chunk();
    this.#spare = null;
    return true;
  }

  /** Writes chunks until one has to wait. */
  #pump(): void {
    while (this.#writer.chunk === null) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      if (this.#isTorn) chunk.begin = 0;
      this.#writer.begin(chunk, this.#sink);
    }
    if (this.#writer.chunk === null) this.#whenIdle?.();
  }

  readonly #onChunkEnd: OnChunkEnd = (chunk, sink, error) => {
    if (sink === this.#sink) this.#isTorn = chunk.isTorn(this.#isTorn);
    else closeSink(sink);
    if (error !== null) this.#drop(codeOf(error), chunk);
    chunk.clear();
    this.#spare = chunk;
    this.#pump();
  };

  #drop(code: string, ...chunks: readonly (Chunk | null)[]): void {
    const lines = chunks.reduce((sum, chunk) => sum + (chunk?.countLines() ?? 0), 0);
    if (lines > 0) this.lose(code, lines);
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#timers.after(CLOSE_MS, resolve);
      this.#whenIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function ignore(): void {}
