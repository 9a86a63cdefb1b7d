// Notices that the process has no file descriptor left. Nobody else says so: libuv then takes a connection that comes
// with a descriptor that it keeps in reserve, closes it, and tells Node nothing ('error' and 'drop' stay silent).
// Thread: main.

import { closeSync, openSync } from 'node:fs';
import { HEADER } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';

const INTERVAL_MS = 1000;
/** A lasting shortage is logged so often. */
const LOG_EVERY = 10;

export class DescriptorWatch {
  readonly #region: Region;
  readonly #timers: Timers;
  readonly #warn: (text: string, fields: object) => void;
  readonly #probe: () => void;
  #timer: TimerHandle | null = null;
  /** Looks since there was a descriptor. */
  #shortages = 0;

  /** @param probe throws as `open` does where there is no descriptor */
  constructor(
    region: Region,
    timers: Timers,
    warn: (text: string, fields: object) => void,
    probe: () => void = openAndClose,
  ) {
    this.#region = region;
    this.#timers = timers;
    this.#warn = warn;
    this.#probe = probe;
  }

  start(): void {
    this.#timer = this.#timers.after(INTERVAL_MS, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const error = this.#trouble();
    if (error === '') {
      this.#shortages = 0;
      return;
    }
    this.#region.words[HEADER.descriptorShortages.index]! += 1;
    if (this.#shortages % LOG_EVERY === 0) {
      this.#warn('no file descriptor is left: connections that come are closed at once, unseen', { error });
    }
    this.#shortages += 1;
  }

  /** Code of the error where there is no descriptor: of this process (EMFILE), or of the machine (ENFILE). */
  #trouble(): string {
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
