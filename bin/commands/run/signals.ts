// Signals of `fairlead run` (docs/design.md 7), and the pid file that names the process to signal. Thread: main.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ControlPlane } from '../../../control/control-plane.ts';
import type { HolderLink } from '../../../control/holder/holder-link.ts';
import { FORWARDED_SIGNALS, type ForwardedSignal } from '../../../control/holder/holder-messages.ts';
import type { MainLogger } from '../../../logging/process-log.ts';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface SignalParts {
  readonly plane: ControlPlane;
  readonly log: MainLogger;
  readonly link: HolderLink | null;
  readonly terminal: Terminal;
  readonly nowMs: () => number;
}

/** A second signal so soon, in ms, is the same one: npm and timeout(1) forward what the process group gets as well. */
const SAME_SIGNAL_MS = 500;

/**
 * HUP reloads, or drains where the terminal was closed. USR1 reopens log files. TERM, INT and QUIT drain; a second one
 * ends at once. USR2 starts the next process, which needs a holder. A generation gets these signals from its holder
 * alone: a service manager sends them to both processes, and they would count twice.
 */
export function handleSignals({ plane, log, link, terminal, nowMs }: SignalParts): void {
  let endings = 0;
  let beganMs = 0;
  const exitAfter = (ending: Promise<void>): void =>
    void ending.then(() => {
      log.flushNow();
      process.exit(endings > 1 ? EXIT.failed : EXIT.ok);
    });
  const end = (): void => {
    if (endings > 0 && nowMs() - beganMs < SAME_SIGNAL_MS) return;
    endings += 1;
    if (endings === 1) {
      beganMs = nowMs();
      return exitAfter(plane.drain());
    }
    if (endings === 2) log.warn({}, 'a second signal arrived during the drain: exchanges in flight are cut');
    // Cuts what is in flight, so that the drain that the first one began is over.
    void plane.close();
  };
  const onHangup = (): void => {
    if (!terminal.hasHungUp) return void plane.reload();
    // The shell and the kernel each send one.
    if (endings > 0) return;
    log.info({}, 'the terminal was closed: draining');
    end();
  };
  const handle = (signal: ForwardedSignal): void => {
    if (signal === 'SIGHUP') onHangup();
    else if (signal === 'SIGUSR1') plane.reopenLogs();
    else end();
  };
  for (const signal of FORWARDED_SIGNALS) process.on(signal, link === null ? () => handle(signal) : () => undefined);
  process.on('SIGUSR2', () => {
    if (link !== null) void link.upgrade();
    else log.error({}, 'SIGUSR2 ignored: an upgrade needs a holder; start Fairlead with run --holder');
  });
  link?.handle({
    retire: () => exitAfter(plane.retire()),
    signal: handle,
    orphaned: () => {
      log.error({}, 'the holder has ended: draining, so that the next one can bind the addresses');
      exitAfter(plane.drain());
    },
  });
}

/** Writes this process's pid and removes the file at exit, unless another process has overwritten it. */
export function writePidFile(path: string): void {
  const text = `${process.pid}\n`;
  try {
    writeFileSync(path, text);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`the pid file ${path} cannot be written: ${message}; change --pid-file`, { cause: error });
  }
  process.on('exit', () => {
    try {
      if (readFileSync(path, 'utf8') === text) rmSync(path);
    } catch {
      // The file or its folder is already gone.
    }
  });
}
