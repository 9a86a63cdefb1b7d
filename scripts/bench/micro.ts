// Runs the micro-benchmarks in turn: the files of this folder that import mitata.
// Usage: npm run bench:micro [-- --only scanner,lane]. Thread: main.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments } from '../usage.ts';

const USAGE = `npm run bench:micro -- [--only scanner,lane]
Runs the micro-benchmarks in turn. Ends with 1 where one fails.`;

const IMPORT = /^import .* from 'mitata';$/m;

/** Names of the micro-benchmarks in a folder. */
function microBenchmarks(folder: string): readonly string[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  return files.filter((name) => IMPORT.test(readFileSync(join(folder, name), 'utf8'))).map((name) => name.slice(0, -3));
}

/** Runs them. Returns the exit code: 1 when one failed, 2 on wrong usage. */
function main(): number {
  const { values } = readArguments(USAGE, { only: { type: 'string' } });
  const all = microBenchmarks(import.meta.dirname);
  const names = values.only?.split(',') ?? all;
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    console.error(`no micro-benchmark "${unknown}": use ${all.join(',')}`);
    return 2;
  }
  const failed = names.filter((name) => {
    console.log(`\n== ${name}`);
    const args = ['--expose-gc', join(import.meta.dirname, `${name}.ts`)];
    return spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0;
  });
  if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
}

process.exitCode = main();
