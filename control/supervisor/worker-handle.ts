// One worker thread as main holds it: started, spoken to, and mourned. Thread: main.

import { Worker } from 'node:worker_threads';
import type { BoundListener, MessageToMain, MessageToWorker, WorkerStart } from '../../core/messages.ts';

/** Where a worker is in its life. */
export type WorkerState = 'starting' | 'listening' | 'draining' | 'exited';

/**
 * Bound of a worker's young generation: half-spaces of 4 MiB in place of 16. Each read of a client's body is memory
 * outside of V8's heap, freed by the next scavenge only: where those are far apart, V8 marks its whole heap again and
 * again for fear of what lies outside (a POST of 16 KiB cost 51 us, and costs 38: docs/benchmarks.md).
 */
const YOUNG_GENERATION_MIB = 12;

/** Of Node's options, those for workers too: the others say how the program around them is started (--eval, --test). */
const FOR_WORKERS = /^--(?:cpu-prof|heap-prof|heapsnapshot|enable-source-maps)/;

/** What the supervisor wants to hear of a worker. */
export interface WorkerEvents {
  onMessage(handle: WorkerHandle, message: MessageToMain): void;
  /** It has ended; `error` is what killed it, null where it was let go. */
  onExit(handle: WorkerHandle, error: Error | null): void;
}

export class WorkerHandle {
  readonly index: number;
  readonly startedMs: number;
  state: WorkerState = 'starting';
  /** Newest revision that it has acknowledged. */
  revision = 0;
  bound: readonly BoundListener[] = [];
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #error: Error | null = null;

  constructor(url: URL, start: WorkerStart, startedMs: number, events: WorkerEvents) {
    this.index = start.worker;
    this.startedMs = startedMs;
    this.#worker = new Worker(url, {
      workerData: start,
      execArgv: process.execArgv.filter((option) => FOR_WORKERS.test(option)),
      name: `fairlead-worker-${start.worker}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    this.#worker.on('message', (message: MessageToMain) => events.onMessage(this, message));
    this.#worker.on('error', (error: unknown) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('messageerror', (error) => {
      this.#error = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        const wasLetGo = this.state === 'draining' && this.#error === null;
        this.state = 'exited';
        const error = wasLetGo ? null : (this.#error ?? new Error(`the worker exited with code ${code}`));
        events.onExit(this, error);
        resolve();
      });
    });
  }

  get threadId(): number {
    return this.#worker.threadId;
  }

  send(message: MessageToWorker): void {
    if (this.state !== 'exited') this.#worker.postMessage(message);
  }

  /** Resolves when the thread is gone. */
  exited(): Promise<void> {
    return this.#exited;
  }

  /** Ends the thread at once, whatever it does. */
  async kill(): Promise<void> {
    if (this.state !== 'exited') await this.#worker.terminate();
    await this.#exited;
  }
}
