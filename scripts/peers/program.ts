// A program under measurement: pinned to its cores, awaited until it listens, ended with this process. Thread: main.

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
  /** Port on 127.0.0.1 that it listens on when it is ready. */
  readonly port: number;
  /** Folder for a file with its output. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const POLL_MS = 20;
/** Daemons are in sbin, which is not in every user's PATH. */
const DAEMON_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const running = new Set<ChildProcess>();

/** Adds the daemons' folders to PATH, and ends started programs when this process exits. Call it once, first. */
export function preparePrograms(): void {
  process.env['PATH'] = [process.env['PATH'], ...DAEMON_FOLDERS].join(delimiter);
  process.on('exit', () => running.forEach((child) => child.kill('SIGTERM')));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}

/** Registers a child that was started elsewhere to be ended with this process. */
export function endWithUs(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** Output of a program's version option (nginx prints to stderr); null when it is not installed. */
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

  /** Starts it and waits until it listens. @throws Error with its last line of output when it does not */
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

  /** Sends SIGTERM, and SIGKILL after a deadline. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE_MS);
    this.#child.kill('SIGTERM');
    await gone;
    clearTimeout(patience);
  }
}

/** The last line, where programs print why they ended. */
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
