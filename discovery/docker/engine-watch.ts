// Follows an engine: reads its containers once its stream of events stands, after events, and from time to time. One
// reading at a time. Thread: main.

import type { TimerHandle, Timers } from '../../core/timers.ts';
import { HttpClient } from '../http/http-client.ts';
import type { HttpAddress, HttpTls } from '../http/http-settings.ts';
import { type StepOutcome, WatchLoop, type WatchLoopParts } from '../http/watch-loop.ts';
import type { SourceFiles } from '../source.ts';
import { ENGINE_EVENTS, engineFault } from './engine.ts';

/** Events within this time are followed together. */
const SETTLE_MS = 50;
/** Containers are read again after this time, whatever events say: some engines leave events out. */
export const RESYNC_MS = 30_000;
/** Containers are read again after this time where reading them failed. */
const AGAIN_MS = 2_000;

export interface EngineWatchContext extends WatchLoopParts {
  readonly timers: Timers;
  readonly files: Pick<SourceFiles, 'readText'>;
}

/** Callbacks of a source or a provider that follows an engine. */
export interface EngineReader {
  /** @returns whether the containers must be read again */
  readonly onEvent: (line: string) => boolean;
  /** Reads the containers. @returns the cause where that fails */
  readonly read: (client: HttpClient, signal: AbortSignal) => Promise<string>;
  /** The containers were read. */
  readonly onRead: () => void;
  readonly onFailure: (cause: string) => void;
  /** Time from a reading to the next one in ms, unless an event comes first. */
  readonly resyncMs: () => number;
}

export class EngineWatch {
  readonly #reader: EngineReader;
  readonly #timers: Timers;
  readonly #client: HttpClient;
  readonly #loop: WatchLoop;
  readonly #end = new AbortController();
  #isReading = false;
  /** Whether something has changed since the current reading began. */
  #isDirty = false;
  #timer: TimerHandle | null = null;

  constructor(address: HttpAddress, tls: HttpTls, context: EngineWatchContext, reader: EngineReader) {
    this.#reader = reader;
    this.#timers = context.timers;
    this.#client = new HttpClient(address, tls, context);
    this.#loop = new WatchLoop(
      context,
      (signal) => this.#watch(signal),
      (cause) => this.#onFailure(cause),
    );
  }

  start(): void {
    this.#loop.start();
  }

  stop(): void {
    this.#end.abort();
    this.#timer?.cancel();
    this.#loop.stop();
    this.#client.close();
  }

  /** Follows events. Containers are read at the start as well as when the stream stands, so that no change is lost between. */
  async #watch(signal: AbortSignal): Promise<StepOutcome> {
    this.#plan(0);
    const request = { path: ENGINE_EVENTS, timeoutMs: 0, signal };
    const end = await this.#client.stream(
      request,
      (line) => {
        if (this.#reader.onEvent(line)) this.#plan(SETTLE_MS);
      },
      () => this.#plan(0),
    );
    return { ok: false, cause: end.ok && end.status === 200 ? 'the stream of events has ended' : engineFault(end) };
  }

  #onFailure(cause: string): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#reader.onFailure(cause);
  }

  #plan(delayMs: number): void {
    if (this.#end.signal.aborted) return;
    this.#isDirty = true;
    this.#readAfter(delayMs);
  }

  #readAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#timers.after(delayMs, () => void this.#read());
  }

  /** Changes during a reading begin another. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#isDirty = false;
    const cause = await this.#reader.read(this.#client, this.#end.signal);
    this.#isReading = false;
    if (this.#end.signal.aborted) return;
    if (cause === '') {
      this.#loop.confirm();
      this.#reader.onRead();
    } else this.#reader.onFailure(cause);
    this.#readAfter(this.#nextMs(cause !== ''));
  }

  #nextMs(hasFailed: boolean): number {
    if (this.#isDirty) return SETTLE_MS;
    return hasFailed ? AGAIN_MS : this.#reader.resyncMs();
  }
}
