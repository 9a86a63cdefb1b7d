// A program as the benchmark runs it: pinned to its cores, awaited until it listens, ended with us. Thread: main.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Cores for taskset, as in 0 or 0,1. */
  readonly cores: string;
  /** Port on 127.0.0.1 that tells that it is ready. */
  readonly port: number;
  /** For the file that takes what it prints. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

const START_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 10_000;
const POLL_MS = 20;
/** Daemons live in sbin, which is not in every user's PATH. */
const DAEMON_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const running = new Set<ChildProcess>();

/** Makes daemons found, and ends what was started when this process ends early. To be called once, first. */
export function preparePrograms(): void {
  process.env['PATH'] = [process.env['PATH'], ...DAEMON_FOLDERS].join(delimiter);
  process.on('exit', () => running.forEach((child) => child.kill('SIGTERM')));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}

/** Has a child ended together with this process, where it was started elsewhere. */
export function endWithUs(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** What a program prints about its version; null where it is not installed. nginx tells it on stderr. */
export function versionText(command: string, ...args: readonly string[]): string | null {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return error === undefined ? stdout + stderr : null;
}

export class Program {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.pid = child.pid!;
    this.port = port;
  }

  /** Starts it and waits until it listens. Throws with the end of its output where it doesn't. */
  static async start(options: ProgramOptions): Promise<Program> {
    const logFile = join(options.folder, `${options.command.split('/').at(-1)}.out`);
    const log = openSync(logFile, 'w');
    const args = ['-c', options.cores, options.command, ...options.args];
    const child = spawn('taskset', args, { stdio: ['ignore', log, log], env: { ...process.env, ...options.env } });
    closeSync(log);
    endWithUs(child);
    const program = new Program(child, options.port);
    const hasStarted = await program.#listens();
    if (hasStarted) return program;
    await program.stop();
    throw new Error(`${options.command} did not start: ${lastLine(readFileSync(logFile, 'utf8'))}`);
  }

  async #listens(): Promise<boolean> {
    const deadlineMs = performance.now() + START_DEADLINE_MS;
    while (this.#child.exitCode === null && performance.now() < deadlineMs) {
      if (await accepts(this.port)) return true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return false;
  }

  /** Asks it to end, and ends it where it takes too long. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE_MS);
    this.#child.kill('SIGTERM');
    await gone;
    clearTimeout(patience);
  }
}

/** Where programs say why they ended. */
function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)!.slice(0, 500);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
