// Small source trees in a temporary directory, for the tests of the checks, and a way to run a script on them. Thread: main.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { patientMs } from '../../support/patience.ts';

/** File texts by relative path. */
export type Tree = Readonly<Record<string, string>>;

/** Result of a script. */
export interface ScriptRun {
  readonly status: number | null;
  readonly output: string;
}

/** Writes the files below a new directory, which goes with the test. Returns the directory. */
export function writeTree(t: TestContext, tree: Tree): string {
  const root = mkdtempSync(path.join(tmpdir(), 'fairlead-tree-'));
  t.after(() => {
    rmSync(root, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(tree)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

/** Runs a file of scripts/ with this Node to its end; `env` adds to, or with undefined takes from, the environment. */
export function runScript(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ScriptRun {
  const script = path.resolve(import.meta.dirname, '../../../scripts', name);
  const clean = { ...process.env, NODE_TEST_CONTEXT: undefined, ...env };
  const run = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: clean,
    timeout: patientMs(60_000),
  });
  return { status: run.status, output: run.stdout + run.stderr };
}

/** So many lines of the same code. */
export function repeatLine(line: string, count: number): string {
  return `${line}\n`.repeat(count);
}
