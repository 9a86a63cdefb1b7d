// Progress of a script that measures one thing after another: the step, the number of steps, and the time that is left, in
// one line of a terminal on standard error. Thread: main.

import { Progress } from '../../bin/commands/progress.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { systemTimers, type TimerHandle, type Timers } from '../../core/timers.ts';

const UPDATE_MS = 1000;

export interface StepProgressParts {
  readonly stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Timers;
}

export class StepProgress {
  readonly #total: number;
  readonly #parts: StepProgressParts;
  readonly #line: Progress;
  readonly #startMs: number;
  #done = 0;
  #stepStartMs = 0;
  #update: TimerHandle | null = null;

  /** @param total number of steps */
  constructor(total: number, parts: StepProgressParts = SYSTEM) {
    this.#total = total;
    this.#parts = parts;
    this.#line = new Progress(parts.stream);
    this.#startMs = parts.clock.nowMs();
  }

  /** Runs a step. Its line is gone when the step has ended, so that results can be printed. */
  async step<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
    this.#stepStartMs = this.#parts.clock.nowMs();
    if (this.#parts.stream.isTTY) this.#show(name);
    try {
      return await run();
    } finally {
      this.#update?.cancel();
      this.#line.end();
      this.#done += 1;
    }
  }

  #show(name: string): void {
    const nowMs = this.#parts.clock.nowMs();
    const seconds = Math.round((nowMs - this.#stepStartMs) / 1000);
    this.#line.show(`${this.#done + 1} of ${this.#total}, ${seconds} s${this.#leftAt(nowMs)}: ${name}`);
    this.#update = this.#parts.timers.after(UPDATE_MS, () => this.#show(name));
  }

  /** The time left, by the mean of the steps so far. */
  #leftAt(nowMs: number): string {
    if (this.#done === 0) return '';
    const mean = (this.#stepStartMs - this.#startMs) / this.#done;
    const leftMs = Math.max(0, mean * (this.#total - this.#done) - (nowMs - this.#stepStartMs));
    const minutes = Math.round(leftMs / 60_000);
    return minutes > 0 ? `, about ${minutes} min left` : `, about ${Math.round(leftMs / 1000)} s left`;
  }
}

const SYSTEM: StepProgressParts = { stream: process.stderr, clock: systemClock, timers: systemTimers };
