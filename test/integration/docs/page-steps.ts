// The steps of a guide: its shell blocks run one after the other in one shell, on free ports, with `fairlead` from this
// checkout on the path. Thread: main.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { freePorts } from '../../../scripts/peers/free-port.ts';
import { readPage } from '../../unit/docs/pages.ts';
import { ENTRY } from '../../support/fairlead-process.ts';
import { patientMs } from '../../support/patience.ts';

const LIMIT_MS = patientMs(90_000);

/** A block of a page under its heading. */
export interface Step {
  readonly heading: string;
  readonly text: string;
}

export interface StepRun {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
  /** Output of the steps under a heading. */
  readonly under: (heading: string) => string;
}

/** The shell blocks of a page with this label. @param label `step` for a block that begins with ```sh step; '' for none */
export function stepsOf(name: string, label: string): Step[] {
  const page = readPage(name);
  return page.fences
    .filter((fence) => fence.info === 'sh' && fence.label === label)
    .map(({ text, line }) => ({ heading: headingAbove(page.prose, line), text }));
}

/** The YAML block of a page with this label. */
export function yamlOf(name: string, label: string): string {
  return readPage(name).fences.find((fence) => fence.info === 'yaml' && fence.label === label)!.text;
}

function headingAbove(prose: readonly string[], line: number): string {
  const headings = prose.slice(0, line).filter((text) => /^#+ /.test(text));
  return headings.at(-1)!.replace(/^#+ /, '');
}

/** Runs the commands of a page under a heading as they are. @throws Error with their output, if one fails */
export function runBlocks(name: string, heading: string, variables: NodeJS.ProcessEnv): void {
  const blocks = stepsOf(name, '').filter((step) => step.heading === heading);
  assert.notEqual(blocks.length, 0, `${name} has commands under ${heading}`);
  const env = { ...process.env, ...variables };
  for (const { text } of blocks) execFileSync('bash', ['-euc', text], { env, stdio: 'pipe' });
}

interface Run {
  /** Ports that the page names, which are replaced by free ones. */
  readonly ports: readonly string[];
  readonly steps: readonly Step[];
  /** Files of the folder in which the steps run, by name; ports are replaced in them. */
  readonly files?: Readonly<Record<string, string>>;
  /** Programs on the path besides `fairlead` and `node`: shell scripts by name; ports are replaced in them. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Changes a step before its ports are replaced. */
  readonly change?: (step: Step) => string;
}

/** Runs steps, and kills what they have started at the end of the test. @returns what they print, with the ports of the page */
export async function runSteps(
  t: TestContext,
  { ports, steps, files = {}, programs = {}, change }: Run,
): Promise<StepRun> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-steps-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const free = (await freePorts(ports.length)).map(String);
  const toFree = (text: string): string => replaceAll(text, ports, free);
  const toPage = (text: string): string => replaceAll(text, free, ports);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), toFree(text));
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  const all = {
    fairlead: `exec ${process.execPath} ${ENTRY} "$@"`,
    node: `exec ${process.execPath} "$@"`,
    ...programs,
  };
  for (const [name, text] of Object.entries(all)) {
    writeFileSync(path.join(bin, name), `#!/bin/bash\n${toFree(text)}\n`, { mode: 0o755 });
  }
  const script = steps.map((step) => `echo "## ${step.heading}"\n${toFree(change?.(step) ?? step.text)}`);
  writeFileSync(path.join(folder, 'steps.sh'), ['set -euo pipefail', `PATH="${bin}:$PATH"`, ...script].join('\n'));
  const { code, output, errors } = await runShell(t, folder, { FAIRLEAD_ADMIN: `127.0.0.1:${toFree('9900')}` });
  const printed = toPage(output);
  const under = (heading: string): string => {
    const parts = printed.split(`## ${heading}\n`).slice(1);
    return parts.map((part) => part.split('\n## ')[0]!).join('\n');
  };
  return { code, output: printed, errors: toPage(errors), under };
}

function replaceAll(text: string, from: readonly string[], to: readonly string[]): string {
  return text.replaceAll(/\d+/g, (number) => to[from.indexOf(number)] ?? number);
}

function runShell(t: TestContext, folder: string, variables: NodeJS.ProcessEnv) {
  const env = { ...process.env, NO_COLOR: '1', ...variables };
  const child = spawn('bash', [path.join(folder, 'steps.sh')], { cwd: folder, env, detached: true });
  const killAll = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // The group has ended.
    }
  };
  const limit = setTimeout(killAll, LIMIT_MS);
  t.after(() => {
    clearTimeout(limit);
    killAll();
  });
  // Programs in the background keep the output open.
  child.on('exit', killAll);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise<Pick<StepRun, 'code' | 'output' | 'errors'>>((resolve) => {
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}

/** Ports that were free a moment ago. */
