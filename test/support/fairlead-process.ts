// Fairlead in separate processes, as operators run it: command line, signals, descriptors. Thread: main.

import { type ChildProcess, execFile, fork, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, type TestContext } from 'node:test';
import { eventually } from './fairlead.ts';

const ROOT = path.join(import.meta.dirname, '../..');
export const ENTRY = path.join(ROOT, 'bin/fairlead.ts');

/** A line of the process log. */
export type LoggedLine = Record<string, unknown> & { text?: string };

export interface StartedProcess {
  readonly child: ChildProcess;
  readonly lines: readonly LoggedLine[];
  readonly stderr: () => string;
  /** Resolves with the exit code; null if a signal killed it. */
  readonly ended: Promise<number | null>;
  /** Waits until this many log lines begin with `text`, and returns the last of them. */
  logged(text: string, count?: number): Promise<LoggedLine>;
}

/** A folder with a configuration, removed after the test. */
export function configFile(t: TestContext, yaml: string): { file: string; folder: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-process-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'fairlead.yaml');
  writeFileSync(file, yaml);
  return { file, folder };
}

/** Runs a program whose standard error is a process log. Kills it after the test if it is still running. */
export function startProcess(
  t: TestContext,
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): StartedProcess {
  const { stdio = [], ...others } = options;
  const extra = Array.isArray(stdio) ? stdio.slice(3) : [];
  const child = spawn(program, args, { cwd: ROOT, ...others, stdio: ['ignore', 'ignore', 'pipe', ...extra] });
  const lines: LoggedLine[] = [];
  let text = '';
  let rest = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const parts = (rest + chunk).split('\n');
    rest = parts.pop()!;
    for (const part of parts) if (part.startsWith('{')) lines.push(JSON.parse(part) as LoggedLine);
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const logged = async (start: string, count = 1): Promise<LoggedLine> => {
    const matching = (): LoggedLine[] => lines.filter((line) => line.text?.startsWith(start) === true);
    try {
      await eventually(() => matching().length >= count, `${count} lines of the log say: ${start}`);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${text}`, { cause: error });
    }
    return matching().at(-1)!;
  };
  return { child, lines, stderr: () => text, ended, logged };
}

/** Result of a command. */
export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command for the process of `command-host.ts`. */
export interface CommandRequest {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Commands that keep their process, or end it by themselves. */
const ALWAYS_ALONE: ReadonlySet<string> = new Set(['run', 'quick']);
const seen = new Set(ALWAYS_ALONE);

/**
 * Runs `fairlead` with these arguments until it exits. The first run of each command has a process of its own, which must
 * end by itself; later ones share a process, which saves the loading of the modules.
 */
export async function runCommand(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<CommandOutcome> {
  const name = args[0] ?? '';
  if (!seen.has(name) || ALWAYS_ALONE.has(name)) {
    seen.add(name);
    return await runAlone(args, options);
  }
  const { cwd = process.cwd(), env = process.env } = options;
  host ??= new CommandHost();
  return await host.run({ args, cwd, env });
}

function runAlone(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [ENTRY, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** The process that runs commands, one at a time. */
class CommandHost {
  readonly #child = fork(path.join(import.meta.dirname, 'command-host.ts'), { execArgv: [] });
  readonly #exited = once(this.#child, 'exit');
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#child.unref();
  }

  run(request: CommandRequest): Promise<CommandOutcome> {
    const outcome = this.#last.then(() => this.#exchange(request));
    this.#last = outcome.catch(() => undefined);
    return outcome;
  }

  async #exchange(request: CommandRequest): Promise<CommandOutcome> {
    const lost = this.#exited.then(() => {
      throw new Error(`fairlead ${request.args.join(' ')} ended the process of the commands: run it alone`);
    });
    const answered = once(this.#child, 'message').then(([outcome]) => outcome as CommandOutcome);
    this.#child.send(request);
    return await Promise.race([answered, lost]);
  }

  async end(): Promise<void> {
    this.#child.ref();
    this.#child.disconnect();
    await this.#exited;
  }
}

let host: CommandHost | null = null;
after(async () => await host?.end());

/** `fairlead` with these arguments. */
export function startCommand(t: TestContext, args: readonly string[], options: SpawnOptions = {}): StartedProcess {
  return startProcess(t, process.execPath, [ENTRY, ...args], options);
}
