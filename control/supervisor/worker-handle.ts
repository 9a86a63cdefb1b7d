// One worker thread as main holds it: start, messages, exit. Thread: main.

import { getCompileCacheDir } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BindOutcome, BoundListener, MessageToMain, MessageToWorker, WorkerStart } from '../../core/messages.ts';
import { BindError } from './bind-error.ts';

export type WorkerState = 'starting' | 'listening' | 'draining' | 'exited';

/** States from which each state may be entered. */
const ALLOWED_FROM: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: [],
  listening: ['starting', 'listening'],
  draining: ['starting', 'listening', 'draining'],
  exited: ['starting', 'listening', 'draining'],
};

/**
 * Size of a worker's young generation: semi-spaces of 4 MiB instead of 16. Each read of a client's body allocates memory
 * outside of V8's heap that only a scavenge frees. With rare scavenges V8 marks its whole heap again and again because
 * of that external memory (a POST of 16 KiB cost 51 us, and costs 38: docs/benchmarks.md).
 */
const YOUNG_GENERATION_MIB = 12;

/** Node options that workers inherit. Others describe how the program was started (--eval, --test). */
const FOR_WORKERS = /^--(?:cpu-prof|heap-prof|heapsnapshot|enable-source-maps)/;

/**
 * Limit on terminate(). Node closes the thread's handles first and waits for each of them; for a handle that it has lost
 * it waits in an endless loop (`net/reset-socket.ts` avoids the only known case).
 */
const TERMINATE_LIMIT_MS = 10_000;

export interface WorkerEvents {
  onMessage(handle: WorkerHandle, message: MessageToMain): void;
  /** The thread has ended. `error` is the cause; null after a drain. */
  onExit(handle: WorkerHandle, error: Error | null): void;
}

interface Waiter {
  readonly kind: 'prepared' | 'installed';
  /** Ticket of what is prepared; revision of what is installed. */
  readonly number: number;
  readonly resolve: (bound: readonly BoundListener[]) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerHandle {
  readonly index: number;
  readonly startedMs: number;
  /** Newest revision that the worker has installed. */
  revision = 0;
  bound: readonly BoundListener[] = [];
  #state: WorkerState = 'starting';
  readonly #worker: Worker;
  readonly #events: WorkerEvents;
  readonly #exited = Promise.withResolvers<void>();
  #waiters: Waiter[] = [];
  #error: Error | null = null;

  constructor(url: URL, start: WorkerStart, startedMs: number, events: WorkerEvents) {
    this.index = start.worker;
    this.startedMs = startedMs;
    this.#events = events;
    this.#worker = new Worker(url, {
      workerData: start,
      execArgv: process.execArgv.filter((option) => FOR_WORKERS.test(option)),
      env: workerEnvironment(),
      name: `fairlead-worker-${start.worker}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    this.#worker.on('message', (message: MessageToMain) => this.#onMessage(message));
    this.#worker.on('error', (error: unknown) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('messageerror', (error) => {
      this.#error = error;
    });
    this.#worker.on('exit', (code) => this.#onExit(code));
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Whether the worker serves, or is about to. */
  get isServing(): boolean {
    return this.#state === 'starting' || this.#state === 'listening';
  }

  get threadId(): number {
    return this.#worker.threadId;
  }

  send(message: MessageToWorker): void {
    if (this.#state !== 'exited') this.#worker.postMessage(message);
  }

  /** Has the worker stop accepting and end; it never listens again. */
  drain(graceMs: number, idleMs: number): void {
    this.#enter('draining');
    this.send({ kind: 'drain', graceMs, idleMs });
  }

  /**
   * Resolves with the bound listeners when the worker has prepared a ticket, or installed a revision, or a later one.
   * @throws BindError; the worker's error where it exits before
   */
  when(kind: Waiter['kind'], number: number): Promise<readonly BoundListener[]> {
    if (kind === 'installed' && this.revision >= number && this.#state === 'listening') {
      return Promise.resolve(this.bound);
    }
    if (this.#state === 'exited') return Promise.reject(this.#exitError());
    return new Promise((resolve, reject) => this.#waiters.push({ kind, number, resolve, reject }));
  }

  /** Resolves when the thread is gone. */
  exited(): Promise<void> {
    return this.#exited.promise;
  }

  /**
   * Ends the thread at once. A thread that does not end within the limit counts as gone: it runs no JavaScript any more,
   * and its sockets are closed except those that Node lost.
   * @param error the cause to report; without one, the exit itself is reported
   */
  async kill(error?: Error, limitMs = TERMINATE_LIMIT_MS): Promise<void> {
    this.#error ??= error ?? null;
    if (this.#state === 'exited') return;
    const limit = setTimeout(() => this.#abandon(limitMs), limitMs);
    void this.#worker.terminate();
    await this.exited();
    clearTimeout(limit);
  }

  /** Stops waiting for a thread that was terminated. */
  #abandon(limitMs: number): void {
    this.#worker.unref();
    // Node joins all threads when the process exits, and would wait for this one for ever.
    process.on('exit', killProcess);
    const cause = `the thread has not ended ${limitMs} ms after it was terminated: Node waits for a lost handle`;
    this.#error = new Error(cause);
    this.#end(this.#error);
  }

  /** A transition that isn't allowed is ignored: a worker that drains may still report what it installed. */
  #enter(next: WorkerState): void {
    if (ALLOWED_FROM[next].includes(this.#state)) this.#state = next;
  }

  #onMessage(message: MessageToMain): void {
    if (message.kind === 'prepared') this.#settle(message.kind, message.ticket, message);
    else if (message.kind === 'installed') {
      this.revision = message.revision;
      if (message.failure === null) {
        this.bound = message.bound;
        // Revision 0 is a start without listeners.
        if (message.revision > 0) this.#enter('listening');
      }
      this.#settle(message.kind, message.revision, message);
    }
    this.#events.onMessage(this, message);
  }

  #settle(kind: Waiter['kind'], number: number, { bound, failure }: BindOutcome): void {
    const isAnswered = (waiter: Waiter): boolean => waiter.kind === kind && waiter.number <= number;
    const answered = this.#waiters.filter(isAnswered);
    this.#waiters = this.#waiters.filter((waiter) => !isAnswered(waiter));
    for (const { resolve, reject } of answered) {
      if (failure === null) resolve(bound);
      else reject(new BindError(failure.listener, failure.address, failure.error));
    }
  }

  #onExit(code: number): void {
    if (this.#state === 'exited') {
      process.off('exit', killProcess);
      return;
    }
    const isOrderly = this.#state === 'draining' && this.#error === null;
    this.#error ??= isOrderly ? null : new Error(`the worker exited with code ${code}`);
    this.#end(isOrderly ? null : this.#error);
  }

  #end(error: Error | null): void {
    this.#enter('exited');
    for (const { reject } of this.#waiters.splice(0)) reject(this.#exitError());
    this.#events.onExit(this, error);
    this.#exited.resolve();
  }

  #exitError(): Error {
    return this.#error ?? new Error(`worker ${this.index} ended`);
  }
}

/** The environment, in which a worker finds the compile cache of main: Node adds a directory for its version to the given one. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir();
  return directory === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: path.dirname(directory) };
}

function killProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}
