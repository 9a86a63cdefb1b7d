// Bodies that are compressed in one call: at once while a turn of the event loop has time for them, the others in later
// turns, oldest first. libuv accepts one connection of a listener in each turn, so that turns which compress every body at
// hand starve new connections: of 64 connections the last one waited for 1,900 responses of the others. Thread: both.

/** Time for bodies in one turn, in ms. A body takes 0.1 to 0.5 ms, a turn without one a few microseconds. */
const TURN_MS = 1;

export interface QueueParts {
  /** Calls a function in the next turn of the event loop, after its sockets. */
  readonly inNextTurn: (act: () => void) => void;
  readonly nowMs: () => number;
}

export class CompressionQueue {
  readonly #parts: QueueParts;
  #waiting: (() => void)[] = [];
  /** Jobs at the beginning of the list that have run. */
  #done = 0;
  /** Time that jobs have taken in this turn. */
  #spentMs = 0;
  #isTurnRequested = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Runs a job, after those that wait. It must not throw. */
  add(job: () => void): void {
    if (this.#waiting.length === 0 && this.#spentMs < TURN_MS) this.#do(job);
    else this.#waiting.push(job);
  }

  #do(job: () => void): void {
    const { nowMs, inNextTurn } = this.#parts;
    if (!this.#isTurnRequested) inNextTurn(this.#beginTurn);
    this.#isTurnRequested = true;
    const startMs = nowMs();
    job();
    this.#spentMs += nowMs() - startMs;
  }

  readonly #beginTurn = (): void => {
    this.#isTurnRequested = false;
    this.#spentMs = 0;
    while (this.#done < this.#waiting.length && this.#spentMs < TURN_MS) this.#do(this.#waiting[this.#done++]!);
    // A job that has run is freed when it is in the larger part of the list.
    if (this.#done * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#done);
    this.#done = 0;
  };
}
