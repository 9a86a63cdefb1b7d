// Rate limit of reports about lost log lines: the first at once, then at most one a minute. Thread: both.

import type { TimerHandle, Timers } from '../../core/timers.ts';

/** Shortest time between two reports, in ms. */
const REPORT_INTERVAL_MS = 60_000;

/** Losses since the last report. */
export interface LogTrouble {
  /** 'stdout', 'stderr' or a file path. */
  readonly output: string;
  /** Lines that were lost. */
  readonly droppedLines: number;
  /**
   * Code of the system's last error (ENOSPC, EPIPE ...), or SLOW for a sink that accepts too little, TOO_LONG for a line
   * larger than a chunk, CLOSED for a line after the end, FORMAT for one that the format could not make.
   */
  readonly code: string;
}

/** Accumulates losses, and reports them. */
export class LogTroubles {
  readonly #output: string;
  readonly #timers: Timers;
  readonly #onTrouble: (trouble: LogTrouble) => void;
  #timer: TimerHandle | null = null;
  #unreportedLines = 0;
  #unreportedCode: string | null = null;
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
    this.#unreportedLines += droppedLines;
    this.#unreportedCode = code;
    if (this.#timer === null) this.report();
  }

  /** Reports losses that have not been reported, if there are any. */
  report(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#unreportedCode === null) return;
    const trouble = { output: this.#output, droppedLines: this.#unreportedLines, code: this.#unreportedCode };
    this.#unreportedLines = 0;
    this.#unreportedCode = null;
    this.#timer = this.#timers.after(REPORT_INTERVAL_MS, () => this.report());
    this.#onTrouble(trouble);
  }
}

/** The system's code of an error, or its name where it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  return (error as NodeJS.ErrnoException).code ?? error.name;
}

/** Causes by their code; others are shown as the code. */
const CAUSES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk (ENOSPC): free some',
  EDQUOT: 'the disk quota is exceeded (EDQUOT): raise it, or free some space',
  EFBIG: 'the file is as large as it may be (EFBIG): rotate it',
  EIO: 'the disk fails (EIO)',
  EPIPE: 'its reader is gone (EPIPE)',
  SLOW: 'it takes fewer than are written (SLOW)',
};

/** A line of the process log about an access log. */
export function textOfTrouble({ output, droppedLines, code }: LogTrouble): string {
  const cause = CAUSES[code] ?? code;
  if (droppedLines === 0) return `access log ${output} can't be reopened: ${cause}; the old file is kept`;
  return `access log ${output} is losing lines: ${cause}`;
}
