// Distinguishes a hangup of the terminal that started the process from `kill -HUP` (docs/decisions/0023). Thread: main.

import { isatty } from 'node:tty';

const STANDARD_STREAMS = [0, 1, 2];

export class Terminal {
  /** Standard streams that were terminals at the start; none under a service manager, or nohup. */
  readonly #streams: readonly number[];
  readonly #isTerminal: (fd: number) => boolean;

  /** Construct it at the start, while the terminal is there. */
  constructor(isTerminal: (fd: number) => boolean = isatty) {
    this.#isTerminal = isTerminal;
    this.#streams = STANDARD_STREAMS.filter(isTerminal);
  }

  /** Whether the terminal was closed: the system answers none of its requests any more (EIO), isatty among them. */
  get hasHungUp(): boolean {
    return this.#streams.some((fd) => !this.#isTerminal(fd));
  }
}
