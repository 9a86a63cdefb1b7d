// Collects the requests in flight of all workers for the admin API, by one message to each and one back. Thread: main.

import type { MessageToWorker } from '../core/messages.ts';
import { mergeRequests, type RequestsInFlight } from '../core/requests-in-flight.ts';
import type { Timers } from '../core/timers.ts';

/** A worker that is busy for longer is left out of the reply. */
const ANSWER_LIMIT_MS = 1_000;

export interface RequestSurveyParts {
  readonly timers: Timers;
  /** Indices of the workers that serve. */
  readonly workers: () => readonly number[];
  readonly broadcast: (message: MessageToWorker) => void;
}

/** Requests in flight, and the workers that did not answer in time. */
export interface Survey extends RequestsInFlight {
  readonly missingWorkers: readonly number[];
}

interface Running {
  readonly ticket: number;
  readonly waiting: Set<number>;
  readonly lists: RequestsInFlight[];
  readonly end: () => void;
}

export class RequestSurvey {
  readonly #parts: RequestSurveyParts;
  #ticket = 0;
  #running: Running | null = null;
  #result: Promise<Survey> | null = null;

  constructor(parts: RequestSurveyParts) {
    this.#parts = parts;
  }

  /** Lists the requests in flight. Concurrent callers share one survey: their number costs the workers nothing. */
  list(): Promise<Survey> {
    this.#result ??= this.#survey().finally(() => {
      this.#result = null;
      this.#running = null;
    });
    return this.#result;
  }

  /** The answer of a worker. */
  note(worker: number, ticket: number, list: RequestsInFlight): void {
    const running = this.#running;
    if (running?.ticket !== ticket || !running.waiting.delete(worker)) return;
    running.lists.push(list);
    if (running.waiting.size === 0) running.end();
  }

  /** A worker that has ended has no requests. */
  workerGone(worker: number): void {
    const running = this.#running;
    if (running?.waiting.delete(worker) === true && running.waiting.size === 0) running.end();
  }

  async #survey(): Promise<Survey> {
    const { timers, workers, broadcast } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    const running: Running = { ticket: ++this.#ticket, waiting: new Set(workers()), lists: [], end: resolve };
    this.#running = running;
    if (running.waiting.size === 0) resolve();
    else broadcast({ kind: 'list-requests', ticket: running.ticket });
    const limit = timers.after(ANSWER_LIMIT_MS, resolve);
    await promise;
    limit.cancel();
    return { ...mergeRequests(running.lists), missingWorkers: [...running.waiting].toSorted((a, b) => a - b) };
  }
}
