// Collects log lines and writes them in large pieces. Survives whatever happens to its sink: lines are dropped and
// counted, nothing is thrown, memory stays bounded. Thread: both.

import type { TimerHandle, Timers } from '../../core/timers.ts';
import { Chunk, CHUNK_BYTES } from './log-chunk.ts';
import { closeSink, type LogSink, NO_SINK, openSink } from './log-sink.ts';
import { codeOf, type LogTrouble, LogTroubles } from './log-trouble.ts';
import { LogWriter, type OnChunkEnd, writeAll } from './log-writer.ts';

/** Longest time that a line waits for others to be written with, in ms. */
const FLUSH_MS = 100;
/** Full chunks that wait for a slow sink: 4 MiB, then lines are dropped. A disk may pause for a second. */
const MAX_WAITING_CHUNKS = 64;
/** How long `close` and `flushNow` wait for a sink that takes nothing, in ms. */
const CLOSE_MS = 1000;

export interface LogDestinationOptions {
  /** 'stdout', 'stderr' or a file's path. */
  readonly output: string;
  readonly timers: Timers;
  /** Is told of lost lines and of a reopening that failed: at once, then at most once a minute. */
  readonly onTrouble: (trouble: LogTrouble) => void;
  /** Longest time in ms that a line waits; 100 unless told. */
  readonly flushMs?: number;
}

/** Lines in, large writes out. One for each output and thread. */
export class LogDestination {
  readonly #output: string;
  readonly #timers: Timers;
  readonly #flushMs: number;
  readonly #troubles: LogTroubles;
  readonly #writer: LogWriter;
  #sink: LogSink;
  #filling = new Chunk();
  readonly #waiting: Chunk[] = [];
  /** One spare chunk, so that a steady stream of lines allocates none. */
  #spare: Chunk | null = null;
  /** Whether the last line in the sink has no end. */
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
    this.#writer = new LogWriter(options.timers, this.#onChunkEnd);
    this.#sink = openSink(options.output);
  }

  /** Lines lost since the start. */
  get droppedLines(): number {
    return this.#troubles.droppedLines;
  }

  /** Takes one line with its line feed. Never throws and never waits. */
  append(line: string): void {
    // Three bytes are the most that a UTF-16 unit takes: mostly there is room without measuring.
    if ((this.#isClosed || line.length * 3 > this.#filling.room) && !this.#makeRoom(line)) return;
    this.#filling.add(line);
    this.#flushTimer ??= this.#timers.after(this.#flushMs, this.#onFlushTimer);
  }

  /** Counts lines that were lost before they got here. @param code see LogTrouble */
  lose(code: string, lines: number): void {
    this.#troubles.add(code, lines);
  }

  /** Begins to write the buffered lines. */
  flush(): void {
    this.#seal();
    this.#pump();
  }

  /**
   * Opens the file anew, after a log rotation has renamed it (USR1). Where that fails, the old one is kept and
   * trouble is told. Nothing happens to standard output and standard error.
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

  /** Writes all that is left, waiting a second at most, and closes. Lines that come later are dropped. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.flush();
    this.#isClosed = true;
    if (this.#writer.chunk !== null) await this.#idle();
    this.#flushTimer?.cancel();
    this.#giveUp('SLOW', this.#writer.takeBack(), ...this.#waiting.splice(0));
    this.#troubles.tell();
    this.#replaceSink(NO_SINK);
  }

  /**
   * Writes all that is left before it returns, waiting a second at most: for a thread that is about to end. What the
   * thread pool is writing at that moment is not waited for.
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
        this.#giveUp(codeOf(error), chunk);
      }
    }
    this.#troubles.tell();
  }

  /** The old sink is closed now, or when its last chunk has been written. */
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

  /** Makes room for a line in a new chunk. Returns false where the line had to be dropped. */
  #makeRoom(line: string): boolean {
    const sizeBytes = Buffer.byteLength(line);
    if (this.#isClosed) this.#troubles.add('CLOSED', 1);
    else if (sizeBytes <= this.#filling.room) return true;
    else if (sizeBytes > CHUNK_BYTES) this.#troubles.add('TOO_LONG', 1);
    else if (!this.#seal()) this.#troubles.add('SLOW', 1);
    else {
      this.#pump();
      return true;
    }
    return false;
  }

  /** Puts the chunk that is being filled into the queue. Returns false where the queue is full. */
  #seal(): boolean {
    if (this.#filling.isEmpty) return true;
    if (this.#waiting.length >= MAX_WAITING_CHUNKS) return false;
    this.#waiting.push(this.#filling);
    this.#filling = this.#spare ?? new Chunk();
    this.#spare = null;
    return true;
  }

  /** Writes chunk after chunk until one has to wait. */
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
    if (error !== null) this.#giveUp(codeOf(error), chunk);
    chunk.clear();
    this.#spare = chunk;
    this.#pump();
  };

  #giveUp(code: string, ...chunks: readonly (Chunk | null)[]): void {
    const lines = chunks.reduce((sum, chunk) => sum + (chunk?.countLines() ?? 0), 0);
    if (lines > 0) this.#troubles.add(code, lines);
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
