// Tells systemd how Fairlead is (sd_notify(3)). Its socket is a Unix datagram socket, of which Node has none, so the
// program `systemd-notify` carries the words: the unit needs NotifyAccess=all (docs/decisions/0011). Where there is no
// NOTIFY_SOCKET this is silent; where there is no such program it says so once. Thread: main.

import { spawn } from 'node:child_process';
import type { Timers } from '../core/timers.ts';
import type { MainLogger } from '../logging/process-log.ts';

const PROGRAM = 'systemd-notify';
/** A word that isn't delivered by then is lost, so that those behind it aren't. */
const DELIVERY_LIMIT_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

export interface ServiceManagerParts {
  readonly environment: Environment;
  readonly timers: Timers;
  readonly log: Pick<MainLogger, 'warn'>;
  /** Whether everything answers. Where it doesn't, the watchdog isn't told that it does. */
  readonly isAnswering: () => boolean;
  /** CLOCK_MONOTONIC in microseconds, for RELOADING=1. */
  readonly monotonicUsec?: () => bigint;
  readonly program?: string;
}

export class ServiceManager {
  readonly #parts: ServiceManagerParts;
  readonly #watchdogMs: number | null;
  #delivered: Promise<void> = Promise.resolve();
  #isMute: boolean;
  #isWatched = false;

  constructor(parts: ServiceManagerParts) {
    const { NOTIFY_SOCKET = '' } = parts.environment;
    this.#parts = parts;
    this.#isMute = NOTIFY_SOCKET === '';
    this.#watchdogMs = watchdogIntervalMs(parts.environment);
  }

  /** It serves. From now on the watchdog is fed. */
  ready(status: string): void {
    this.#say('READY=1', `STATUS=${oneLine(status)}`);
    this.#watch();
  }

  /** A reload has begun; `ready` ends it, whatever it came to. */
  reloading(): void {
    const usec = (this.#parts.monotonicUsec ?? monotonicUsec)();
    this.#say('RELOADING=1', `MONOTONIC_USEC=${usec}`, 'STATUS=reloading the configuration');
  }

  stopping(status: string): void {
    this.#say('STOPPING=1', `STATUS=${oneLine(status)}`);
  }

  /** Sends no more notifications: another process does. */
  mute(): void {
    this.#isMute = true;
  }

  /** Resolves when everything that was said has been delivered, or lost. */
  delivered(): Promise<void> {
    return this.#delivered;
  }

  #watch(): void {
    if (this.#isWatched || this.#isMute || this.#watchdogMs === null) return;
    this.#isWatched = true;
    const { timers, isAnswering } = this.#parts;
    const intervalMs = this.#watchdogMs;
    const beat = (): void => {
      if (this.#isMute) return;
      if (isAnswering()) this.#say('WATCHDOG=1');
      timers.after(intervalMs, beat);
    };
    timers.after(intervalMs, beat);
  }

  /** One after the other: READY must not overtake RELOADING. */
  #say(...words: readonly string[]): void {
    if (this.#isMute) return;
    this.#delivered = this.#delivered.then(() => this.#deliver(words));
  }

  async #deliver(words: readonly string[]): Promise<void> {
    const why = await run(this.#parts.program ?? PROGRAM, ['--no-block', ...words], this.#parts.environment);
    if (why === null || this.#isMute) return;
    this.#isMute = true;
    this.#parts.log.warn(
      { error: why, words },
      `systemd can't be told how Fairlead is: ${why}; a unit of Type=notify or with WatchdogSec= needs ${PROGRAM}`,
    );
  }
}

/**
 * How often the watchdog wants to hear, in ms: half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises; null where it
 * doesn't. WATCHDOG_PID may also be the parent: a holder is what systemd started.
 */
export function watchdogIntervalMs(environment: Environment, pid = process.pid, parent = process.ppid): number | null {
  const { WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (WATCHDOG_USEC === undefined || !/^[1-9]\d{0,15}$/.test(WATCHDOG_USEC)) return null;
  if (WATCHDOG_PID !== undefined && ![String(pid), String(parent)].includes(WATCHDOG_PID)) return null;
  return Math.max(1, Math.floor(Number(WATCHDOG_USEC) / 2000));
}

/** CLOCK_MONOTONIC, which is what hrtime reads on Linux. */
function monotonicUsec(): bigint {
  return process.hrtime.bigint() / 1000n;
}

/** A line break would begin another variable. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

/** Runs a program to its end. @returns why it failed; null where it didn't */
function run(program: string, args: readonly string[], environment: Environment): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', env: { ...environment }, timeout: DELIVERY_LIMIT_MS });
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ENOENT' ? `there is no program ${program}` : error.message);
    });
    child.on('exit', (code, signal) => resolve(code === 0 ? null : `${program} ended with ${signal ?? code}`));
  });
}
