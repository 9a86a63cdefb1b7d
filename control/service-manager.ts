// Notifies systemd of the state of the process (sd_notify(3)). The protocol uses a Unix datagram socket, which Node
// doesn't have, so the program `systemd-notify` sends the messages: the unit needs NotifyAccess=all (docs/decisions/0011).
// Does nothing without NOTIFY_SOCKET; warns once where the program is missing. Thread: main.

import { spawn } from 'node:child_process';
import type { Timers } from '../core/timers.ts';
import type { MainLogger } from '../logging/process-log.ts';

const PROGRAM = 'systemd-notify';
/** A notification that isn't delivered by then is dropped, so that later ones are sent. */
const DELIVERY_LIMIT_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

export interface ServiceManagerParts {
  readonly environment: Environment;
  readonly timers: Timers;
  readonly log: Pick<MainLogger, 'warn'>;
  /** Whether all workers answer. While they don't, the watchdog is not notified. */
  readonly isAnswering: () => boolean;
  /** CLOCK_MONOTONIC in microseconds, for RELOADING=1. */
  readonly monotonicUsec?: () => bigint;
  readonly program?: string;
}

export class ServiceManager {
  readonly #parts: ServiceManagerParts;
  readonly #watchdogMs: number | null;
  #delivered: Promise<void> = Promise.resolve();
  #isMuted: boolean;
  #isWatched = false;

  constructor(parts: ServiceManagerParts) {
    const { NOTIFY_SOCKET = '' } = parts.environment;
    this.#parts = parts;
    this.#isMuted = NOTIFY_SOCKET === '';
    this.#watchdogMs = watchdogIntervalMs(parts.environment);
  }

  /** The process serves. From now on the watchdog is notified. */
  ready(status: string): void {
    this.#notify('READY=1', `STATUS=${oneLine(status)}`);
    this.#watch();
  }

  /** A reload has begun; `ready` ends it, whatever its outcome. */
  reloading(): void {
    const usec = (this.#parts.monotonicUsec ?? monotonicUsec)();
    this.#notify('RELOADING=1', `MONOTONIC_USEC=${usec}`, 'STATUS=reloading the configuration');
  }

  stopping(status: string): void {
    this.#notify('STOPPING=1', `STATUS=${oneLine(status)}`);
  }

  /** Sends no more notifications: another process takes over. */
  mute(): void {
    this.#isMuted = true;
  }

  /** Resolves when every notification has been delivered or dropped. */
  delivered(): Promise<void> {
    return this.#delivered;
  }

  #watch(): void {
    if (this.#isWatched || this.#isMuted || this.#watchdogMs === null) return;
    this.#isWatched = true;
    const { timers, isAnswering } = this.#parts;
    const intervalMs = this.#watchdogMs;
    const notifyWatchdog = (): void => {
      if (this.#isMuted) return;
      if (isAnswering()) this.#notify('WATCHDOG=1');
      timers.after(intervalMs, notifyWatchdog);
    };
    timers.after(intervalMs, notifyWatchdog);
  }

  /** Notifications are sent one after the other: READY must not overtake RELOADING. */
  #notify(...assignments: readonly string[]): void {
    if (this.#isMuted) return;
    this.#delivered = this.#delivered.then(() => this.#deliver(assignments));
  }

  async #deliver(assignments: readonly string[]): Promise<void> {
    const why = await run(this.#parts.program ?? PROGRAM, ['--no-block', ...assignments], this.#parts.environment);
    if (why === null || this.#isMuted) return;
    this.#isMuted = true;
    this.#parts.log.warn(
      { error: why, assignments },
      `systemd can't be notified: ${why}; a unit with Type=notify or WatchdogSec= needs ${PROGRAM}`,
    );
  }
}

/**
 * Interval of watchdog notifications in ms: half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises; null without a
 * watchdog. WATCHDOG_PID may also be the parent: systemd started the holder.
 */
export function watchdogIntervalMs(environment: Environment, pid = process.pid, parent = process.ppid): number | null {
  const { WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (WATCHDOG_USEC === undefined || !/^[1-9]\d{0,15}$/.test(WATCHDOG_USEC)) return null;
  if (WATCHDOG_PID !== undefined && ![String(pid), String(parent)].includes(WATCHDOG_PID)) return null;
  return Math.max(1, Math.floor(Number(WATCHDOG_USEC) / 2000));
}

/** CLOCK_MONOTONIC, which hrtime reads on Linux. */
function monotonicUsec(): bigint {
  return process.hrtime.bigint() / 1000n;
}

/** A line break would start another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

/** Runs a program. @returns why it failed; null for success */
function run(program: string, args: readonly string[], environment: Environment): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', env: { ...environment }, timeout: DELIVERY_LIMIT_MS });
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ENOENT' ? `the program ${program} is not installed` : error.message);
    });
    child.on('exit', (code, signal) => resolve(code === 0 ? null : `${program} exited with ${signal ?? code}`));
  });
}
