// Detects that clients use all of their share of file descriptors, and that the process has run out of them. Node doesn't report
// the latter: libuv accepts the connection with a descriptor that it keeps in reserve and closes it, without an 'error' or 'drop'
// event. Thread: main.

import { closeSync, openSync } from 'node:fs';
import type { Logger } from '../../core/log.ts';
import { HEADER, WORKER } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import { clientShareOf, openFilesLimit } from '../../net/open-files.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';

const INTERVAL_MS = 1000;
/** A lasting shortage is logged on every tenth probe. */
const LOG_EVERY = 10;

export class DescriptorWatch {
  readonly #region: Region;
  readonly #timers: Timers;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #probe: () => void;
  readonly #openFiles: number;
  readonly #clientShare: number;
  #timer: TimerHandle | null = null;
  /** Consecutive probes that found no descriptor. */
  #shortages = 0;
  /** Consecutive probes that found as many client connections as there may be. */
  #fullProbes = 0;

  /**
   * @param probe throws the error of open() where there is no descriptor
   * @param openFiles the most files that this process may have open
   */
  constructor(
    region: Region,
    timers: Timers,
    log: Pick<Logger, 'warn'>,
    probe: () => void = openAndClose,
    openFiles = openFilesLimit(),
  ) {
    this.#region = region;
    this.#timers = timers;
    this.#log = log;
    this.#probe = probe;
    this.#openFiles = openFiles;
    this.#clientShare = clientShareOf(openFiles, region.capacity.workers);
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
    this.#lookAtClients();
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

  /** Workers close idle connections for new ones at their share. */
  #lookAtClients(): void {
    const isFull = this.#region.sumOfWorkers(WORKER.openConnections.index) >= this.#clientShare;
    if (isFull && this.#fullProbes % LOG_EVERY === 0) {
      const [connections, openFiles] = [this.#clientShare, this.#openFiles];
      const text = `${connections} client connections are open, all that a limit of ${openFiles} open files allows: idle ones are closed for new ones; raise LimitNOFILE or ulimit -n`;
      this.#log.warn({ connections, openFiles }, text);
    }
    this.#fullProbes = isFull ? this.#fullProbes + 1 : 0;
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
