// `npm test`: the static checks, then every folder of tests; prints the time of each part, every failure and every skip
// by name, and closes with node's summary lines. Exit code 1 on any failure, 2 on wrong usage. Thread: main.
// Usage: node scripts/run-tests.ts [--only static,unit,...] [--grep REGEXP] [--long] [--slowest COUNT]
// [--root DIR]

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { Coverage } from './test-run/run-tests-coverage.ts';
import { type FileCost, findTestFiles, runFolder } from './test-run/run-tests-folder.ts';
import { loadPerCore, measureSlowness, PATIENCE_VARIABLE, patienceOn } from './test-run/run-tests-patience.ts';
import { readOptions, type RunOptions, type TestPart, type TestTrack } from './test-run/run-tests-parts.ts';
import {
  describeFailures,
  describeNamed,
  describeSlow,
  describeSlowest,
  describeTotals,
  partLine,
  totalCpu,
} from './test-run/run-tests-report.ts';
import { runStatic, type StaticResult } from './test-run/run-tests-static.ts';
import { noTotals, type NamedTest, type Totals } from './test-run/run-tests-tally.ts';

/** Result of all parts. */
interface Outcome {
  readonly totals: Totals;
  readonly skipped: NamedTest[];
  readonly todo: NamedTest[];
  readonly failedParts: string[];
  readonly costs: FileCost[];
}

const CORE_COUNT = availableParallelism();
const REPOSITORY = path.resolve(import.meta.dirname, '..');
const GIVEN_PATIENCE = Number(process.env[PATIENCE_VARIABLE] ?? 0);

/** Least factor of all limits while two folders run at once: several files compete for each core. */
const SHARED_PATIENCE = 3;

// Processes and workers load modules that an earlier one compiled: a third less CPU in most integration files.
process.env['NODE_COMPILE_CACHE'] ??= path.join(REPOSITORY, 'node_modules', '.cache', 'compile');

async function main(options: RunOptions): Promise<void> {
  const startMs = performance.now();
  if (options.isLong) process.env['FAIRLEAD_TEST_LENGTH'] = 'long';
  // For what several files need and only one has to make.
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-tests-'));
  process.env['FAIRLEAD_TEST_RUN_FOLDER'] = folder;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const loadAtStart = loadPerCore(CORE_COUNT);
  const outcome: Outcome = { totals: noTotals(), skipped: [], todo: [], failedParts: [], costs: [] };
  const statics = options.parts.filter((part) => part.kind === 'static');
  await runStatic(statics, CORE_COUNT, (result) => tellStatic(result, outcome));
  const coverage = options.isWhole ? new Coverage() : null;
  await runTracks({ options, loadAtStart, coverage, outcome });
  if (coverage !== null) tellStatic(await coverage.check(), outcome);
  const isTesting = statics.length < options.parts.length;
  if (isTesting && outcome.totals.tests === 0) outcome.failedParts.push('tests (none was run)');
  tell(describeSlowest(outcome.costs, options.slowest));
  tell(describeNamed('skipped', outcome.skipped));
  tell(describeNamed('todo', outcome.todo));
  tell(outcome.failedParts.length === 0 ? ['all parts passed'] : [`FAILED: ${outcome.failedParts.join(', ')}`]);
  tell(describeTotals(outcome.totals, performance.now() - startMs));
  process.exitCode = outcome.failedParts.length === 0 ? 0 : 1;
}

function tellStatic(result: StaticResult, outcome: Outcome): void {
  const { part, hasPassed, output, durationMs } = result;
  const lastLine = output.split('\n').at(-1) ?? '';
  tell([partLine(part.name, hasPassed, durationMs, hasPassed ? lastLine : '')]);
  if (hasPassed) return;
  tell(output.split('\n').map((line) => `  ${line}`));
  outcome.failedParts.push(part.name);
}

/** Settings of all folders of tests, and the outcome that they add to. */
interface TestRun {
  readonly options: RunOptions;
  readonly loadAtStart: number;
  readonly coverage: Coverage | null;
  readonly outcome: Outcome;
}

async function runTracks(run: TestRun): Promise<void> {
  const parts = run.options.parts.filter((part) => part.kind === 'test');
  const runTrack = async (track: TestTrack, leastPatience: number): Promise<void> => {
    for (const part of parts.filter((one) => one.track === track)) await runTests(part, leastPatience, run);
  };
  const isShared = new Set(parts.map(({ track }) => track)).size > 1;
  const leastPatience = isShared ? SHARED_PATIENCE : 1;
  await Promise.all([runTrack('busy', leastPatience), runTrack('waiting', leastPatience)]);
  await runTrack('alone', 1);
}

async function runTests(part: TestPart, leastPatience: number, run: TestRun): Promise<void> {
  const { options, outcome } = run;
  const root = path.resolve(options.root ?? REPOSITORY);
  const files = findTestFiles(path.join(root, part.folder));
  if (files.length === 0) {
    const isNamed = options.named.includes(part.name);
    tell([partLine(part.name, !isNamed, 0, `no test files in ${part.folder}`)]);
    if (isNamed) outcome.failedParts.push(part.name);
    return;
  }
  const startMs = performance.now();
  const costs: FileCost[] = [];
  const onFile = (cost: FileCost): void => {
    costs.push(cost);
    tell(describeSlow(cost));
  };
  const onNodesHang = (file: string): void => tell([`      ${file}: passed, but Node's own cleanup did not end twice`]);
  const patience = Math.max(leastPatience, await readPatience(run.loadAtStart));
  const environment = {
    ...process.env,
    [PATIENCE_VARIABLE]: String(patience),
    ...run.coverage?.variablesOf(part.name),
  };
  const how = { root, grep: options.grep, environment, patience, onFile, onNodesHang };
  const tally = await runFolder(part, files, how);
  const { tests, pass, skipped } = tally.totals;
  const limits = patience > 1 ? `, limits x${patience}` : '';
  const figures = `${files.length} files, ${tests} tests, ${pass} passed, ${skipped} skipped, ${totalCpu(costs)}${limits}`;
  tell([partLine(part.name, tally.failures.length === 0, performance.now() - startMs, figures)]);
  tell(describeFailures(tally.failures, tally.outputOfFailed()));
  if (tally.failures.length > 0) outcome.failedParts.push(part.name);
  outcome.costs.push(...costs);
  outcome.skipped.push(...tally.skipped);
  outcome.todo.push(...tally.todo);
  for (const key of Object.keys(outcome.totals) as (keyof Totals)[]) outcome.totals[key] += tally.totals[key];
}

/** Measured before each folder, because the load of the machine changes. */
async function readPatience(loadAtStart: number): Promise<number> {
  if (GIVEN_PATIENCE >= 1) return GIVEN_PATIENCE;
  // The present load average is mostly caused by the previous folder; the one at the start by other programs.
  return patienceOn(await measureSlowness(CORE_COUNT), loadAtStart);
}

function tell(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

function optionsOrUsage(): RunOptions | undefined {
  try {
    return readOptions(process.argv.slice(2), CORE_COUNT);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
    return undefined;
  }
}

const options = optionsOrUsage();
if (options !== undefined) await main(options);
