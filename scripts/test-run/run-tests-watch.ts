// Follows the events of one test file, and says when its process hangs and in which phase. Thread: main.

import path from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/** How long a test file may take for what; milliseconds. */
export interface FileLimits {
  /** For one test; node:test watches this one. */
  readonly testTimeoutMs: number;
  /** Without any event, while it loads or while a test runs. */
  readonly silenceLimitMs: number;
  /** From its last event to its exit, while no test runs. */
  readonly exitLimitMs: number;
}

/** Where the process of a test file is. */
export type FilePhase =
  /** It has begun no test. */
  | 'loading'
  /** A test runs. */
  | 'testing'
  /** Each test that it began has ended; more may come, or its event loop is kept alive. */
  | 'idle'
  /** Its event loop has ended: node:test has summed up. */
  | 'exiting';

/** The phase of one test file, and how long it has been silent in it. */
export class FileWatch {
  phase: FilePhase = 'loading';
  readonly #file: string;
  readonly #limits: FileLimits;
  /** Tests and suites at the top that have begun and not ended. */
  #open = 0;
  /** Names of the tests that run, by nesting. */
  #names: string[] = [];
  #sinceMs: number;

  constructor(file: string, limits: FileLimits, nowMs: number) {
    this.#file = file;
    this.#limits = limits;
    this.#sinceMs = nowMs;
  }

  /** The names of the test that runs and of the suites around it, joined by " > ". */
  get testName(): string {
    return this.#names.join(' > ');
  }

  add(event: TestEvent, nowMs: number): void {
    // In a process that exits, late output is no progress.
    if (this.phase !== 'exiting') this.#sinceMs = nowMs;
    if (event.type === 'test:summary' && event.data.file !== undefined) this.phase = 'exiting';
    if (event.type === 'test:enqueue' || event.type === 'test:dequeue' || event.type === 'test:complete') {
      const { nesting, name } = event.data;
      if (nesting === 0 && path.resolve(name) === this.#file) return;
      this.#follow(event.type, nesting, name);
    }
  }

  /** The limit in milliseconds that the process has passed, or null. */
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
