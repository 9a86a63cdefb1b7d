// Runs the static checks: other programs, a few concurrently, with their output buffered until they end. Thread: main.

import { spawn } from 'node:child_process';
import path from 'node:path';
import type { StaticPart } from './run-tests-parts.ts';

/** Result of a program. */
export interface StaticResult {
  readonly part: StaticPart;
  readonly hasPassed: boolean;
  /** Its complete output. */
  readonly output: string;
  readonly durationMs: number;
}

/** Runs all parts, `concurrency` at a time, and calls `onEnd` for each as it ends. */
export async function runStatic(
  parts: readonly StaticPart[],
  concurrency: number,
  onEnd: (result: StaticResult) => void,
): Promise<void> {
  const waiting = [...parts];
  const lane = async (): Promise<void> => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) onEnd(await runCommand(part));
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

/** Runs one program in the repository's root. One that can't be started has failed, with the error as its output. */
export function runCommand(part: StaticPart): Promise<StaticResult> {
  const root = path.resolve(import.meta.dirname, '../..');
  const [program = '', ...args] = part.command;
  const binFolder = path.join(root, 'node_modules/.bin');
  const file = program === 'node' ? process.execPath : path.join(binFolder, program);
  const env = { ...process.env, PATH: `${binFolder}${path.delimiter}${process.env['PATH'] ?? ''}` };
  const startMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<StaticResult>();
  const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const end = (hasPassed: boolean): void => {
    resolve({ part, hasPassed, output: output.trim(), durationMs: performance.now() - startMs });
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.on('error', (error) => {
    output += error.message;
    end(false);
  });
  child.on('close', (code) => end(code === 0));
  return promise;
}
