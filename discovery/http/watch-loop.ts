// Repeats the step of a source that waits for changes, such as a long poll or a watch: backs off after failures, with
// jitter, and never repeats faster than ten times a second. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';

/** Steps begin at least this far apart: a server whose data change all the time, or that doesn't wait, is not flooded. */
const LEAST_INTERVAL_MS = 100;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;
/** Many clients of a server that restarts come back over this share of the back-off. */
const BACKOFF_JITTER = 0.5;

/** The result of a step. */
export type StepOutcome =
  /** The next step begins after `delayMs`; 0 for at once. */
  | { readonly ok: true; readonly delayMs?: number }
  /** The next step begins after the back-off. */
  | { readonly ok: false; readonly cause: string };

export interface WatchLoopParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

export class WatchLoop {
  readonly #parts: WatchLoopParts;
  readonly #step: (signal: AbortSignal) => Promise<StepOutcome>;
  readonly #onFailure: (cause: string) => void;
  readonly #end = new AbortController();
  #timer: TimerHandle | null = null;
  #failures = 0;

  /**
   * @param step should not reject, which counts as a failure; its signal is aborted by `stop`
   * @param onFailure receives the cause of each step that fails
   */
  constructor(
    parts: WatchLoopParts,
    step: (signal: AbortSignal) => Promise<StepOutcome>,
    onFailure: (cause: string) => void,
  ) {
    this.#parts = parts;
    this.#step = step;
    this.#onFailure = onFailure;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#end.abort();
  }

  /** The server is there: the next failure is the first one again. For steps that are long after they have succeeded. */
  confirm(): void {
    this.#failures = 0;
  }

  async #run(): Promise<void> {
    const { clock, timers } = this.#parts;
    const startedMs = clock.nowMs();
    const outcome = await this.#step(this.#end.signal).catch(failureOf);
    if (this.#end.signal.aborted) return;
    let delayMs: number;
    if (outcome.ok) {
      this.#failures = 0;
      delayMs = Math.max(outcome.delayMs ?? 0, LEAST_INTERVAL_MS - (clock.nowMs() - startedMs));
    } else {
      this.#failures++;
      delayMs = this.#backoffMs();
      this.#onFailure(outcome.cause);
    }
    this.#timer = timers.after(Math.max(0, delayMs), () => void this.#run());
  }

  #backoffMs(): number {
    const fullMs = Math.min(FIRST_BACKOFF_MS * 2 ** (this.#failures - 1), LONGEST_BACKOFF_MS);
    return fullMs * (1 - BACKOFF_JITTER * this.#parts.random.next());
  }
}

function failureOf(error: unknown): StepOutcome {
  return { ok: false, cause: `internal error: ${error instanceof Error ? error.message : String(error)}` };
}
