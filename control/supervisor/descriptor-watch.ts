// Detects that the process has run out of file descriptors. Node doesn't report it: libuv accepts the connection with a
// descriptor that it keeps in reserve and closes it, without an 'error' or 'drop' event. Thread: main.

import { closeSync, openSync } from 'node:fs';
import type { Logger } from '../../core/log.ts';
import { HEADER } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';

const INTERVAL_MS = 1000;
/** A lasting shortage is logged on every tenth probe. */
const LOG_EVERY = 10;

export class DescriptorWatch {
  readonly #region: Region;
  readonly #timers: Timers;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #probe: () => void;
  #timer: TimerHandle | null = null;
  /** Consecutive probes that found no descriptor. */
  #shortages = 0;

  /** @param probe throws the error of open() where there is no descriptor */
  constructor(region: Region, timers: Timers, log: Pick<Logger, 'warn'>, probe: () => void = openAndClose) {
    this.#region = region;
    this.#timers = timers;
    this.#log = log;
    this.#probe = probe;
  }

  start(): void {
    this.#timer ??= this.#timers.after(INTERVAL_MS, () => {
      this.#timer = null;
      this.start();
      this.#look();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    const error = this.#shortageCode();
    if (error === '') {
      this.#shortages = 0;
      return;
    }
    this.#region.words[HEADER.descriptorShortages.index]! += 1;
    if (this.#shortages % LOG_EVERY === 0) {
      this.#log.warn(
        { error },
        'out of file descriptors: new connections are closed at once; raise LimitNOFILE or ulimit -n',
      );
    }
    this.#shortages += 1;
  }

  /** The error's code where there is no descriptor: in this process (EMFILE) or on the machine (ENFILE); else ''. */
  #shortageCode(): string {
    try {
      this.#probe();
      return '';
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      return code === 'EMFILE' || code === 'ENFILE' ? code : '';
    }
  }
}

function openAndClose(): void {
  closeSync(openSync('/dev/null', 'r'));
}
