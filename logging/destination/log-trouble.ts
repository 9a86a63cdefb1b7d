// Tells of lost log lines without making a flood of it: at once, then at most once a minute. Thread: both.

import type { TimerHandle, Timers } from '../../core/timers.ts';

/** Trouble is told at most once in this time, in ms. */
const TROUBLE_MS = 60_000;

/** What went wrong since it was last told. */
export interface LogTrouble {
  /** 'stdout', 'stderr' or a file's path. */
  readonly output: string;
  /** Lines that were lost. */
  readonly droppedLines: number;
  /**
   * Code of the system's last error (ENOSPC, EPIPE ...), or SLOW for a sink that takes too little, TOO_LONG for a line
   * larger than a chunk, CLOSED for a line after the end, FORMAT for one that the format could not make.
   */
  readonly code: string;
}

/** Adds up trouble and tells it. */
export class LogTroubles {
  readonly #output: string;
  readonly #timers: Timers;
  readonly #onTrouble: (trouble: LogTrouble) => void;
  #timer: TimerHandle | null = null;
  #untoldLines = 0;
  #untoldCode: string | null = null;
  #droppedLines = 0;

  constructor(output: string, timers: Timers, onTrouble: (trouble: LogTrouble) => void) {
    this.#output = output;
    this.#timers = timers;
    this.#onTrouble = onTrouble;
  }

  /** Lines lost since the start. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  add(code: string, droppedLines: number): void {
    this.#droppedLines += droppedLines;
    this.#untoldLines += droppedLines;
    this.#untoldCode = code;
    if (this.#timer === null) this.tell();
  }

  /** Tells what has not been told, if anything. */
  tell(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#untoldCode === null) return;
    const trouble = { output: this.#output, droppedLines: this.#untoldLines, code: this.#untoldCode };
    this.#untoldLines = 0;
    this.#untoldCode = null;
    this.#timer = this.#timers.after(TROUBLE_MS, () => this.tell());
    this.#onTrouble(trouble);
  }
}

/** The system's code of an error, or its name where it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
