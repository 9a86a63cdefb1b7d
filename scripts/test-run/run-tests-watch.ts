// Follows the events of one test file, and detects when its process hangs and in which phase. Thread: main.

import path from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/** Limits of a test file in milliseconds. */
export interface FileLimits {
  /** For one test; enforced by node:test. */
  readonly testTimeoutMs: number;
  /** Without an event, while it loads or while a test runs. */
  readonly silenceLimitMs: number;
  /** From its last event to its exit, while no test runs. */
  readonly exitLimitMs: number;
}

/** Phase of a test file's process. */
export type FilePhase =
  /** No test has begun. */
  | 'loading'
  /** A test runs. */
  | 'testing'
  /** All tests that began have ended; more may follow, or a handle keeps the event loop alive. */
  | 'idle'
  /** The event loop has ended: node:test has reported its summary. */
  | 'exiting';

/** The phase of one test file, and the time since its last event. */
export class FileWatch {
  phase: FilePhase = 'loading';
  readonly #file: string;
  readonly #limits: FileLimits;
  /** Running tests and suites at the top level. */
  #open = 0;
  /** Names of the running tests, by nesting. */
  #names: string[] = [];
  #sinceMs: number;

  constructor(file: string, limits: FileLimits, nowMs: number) {
    this.#file = file;
    this.#limits = limits;
    this.#sinceMs = nowMs;
  }

  /** Names of the running test and its suites, joined by " > ". */
  get testName(): string {
    return this.#names.join(' > ');
  }

  add(event: TestEvent, nowMs: number): void {
    // While a process exits, late output is not progress.
    if (this.phase !== 'exiting') this.#sinceMs = nowMs;
    if (event.type === 'test:summary' && event.data.file !== undefined) this.phase = 'exiting';
    if (event.type === 'test:enqueue' || event.type === 'test:dequeue' || event.type === 'test:complete') {
      const { nesting, name } = event.data;
      if (nesting === 0 && path.resolve(name) === this.#file) return;
      this.#follow(event.type, nesting, name);
    }
  }

  /** The limit in milliseconds that the process has exceeded, or null. */
  passedLimitMs(nowMs: number): number | null {
    const { silenceLimitMs, exitLimitMs } = this.#limits;
    const limitMs = this.phase === 'idle' || this.phase === 'exiting' ? exitLimitMs : silenceLimitMs;
    return nowMs - this.#sinceMs > limitMs ? limitMs : null;
  }

  #follow(type: 'test:enqueue' | 'test:dequeue' | 'test:complete', nesting: number, name: string): void {
    if (type === 'test:dequeue') this.#names = [...this.#names.slice(0, nesting), name];
    else if (type === 'test:complete') this.#names = this.#names.slice(0, nesting);
    if (nesting > 0 || type === 'test:dequeue') return;
    this.#open += type === 'test:enqueue' ? 1 : -1;
    this.phase = this.#open > 0 ? 'testing' : 'idle';
  }
}
