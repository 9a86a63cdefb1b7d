// Runs one folder of test files in separate processes. A file that hangs is killed, and only that file fails. Thread: main.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runBatch } from './run-tests-batch.ts';
import { type FileOptions, runTestFile, type FileResult } from './run-tests-file.ts';
import { EXIT_LIMIT_MS, SILENCE_LIMIT_MS, TEST_TIMEOUT_MS, type TestPart } from './run-tests-parts.ts';
import { Tally } from './run-tests-tally.ts';
import type { FileLimits } from './run-tests-watch.ts';

/** Cost of a test file. */
export interface FileCost {
  /** Its path from the root. */
  readonly file: string;
  readonly durationMs: number;
  /** CPU time of its process and that process's children; null if it was killed. */
  readonly cpuMs: number | null;
}

/** Settings of a run. */
export interface FolderRun {
  /** The root of the folder and of all paths. */
  readonly root: string;
  readonly grep: string | undefined;
  /** Factor of all limits; 1 by default. */
  readonly patience?: number;
  /** The complete environment of the processes; that of the runner if absent. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Tests of this module shorten them. */
  readonly limits?: Partial<FileLimits>;
  /** Called for each file when it ends. */
  readonly onFile?: (cost: FileCost) => void;
  /** Called for each file that passed and whose process was killed twice in Node's own cleanup, with its path from the root. */
  readonly onNodesHang?: (file: string) => void;
}

/** The *.test.ts files below a folder, absolute and sorted; none if it doesn't exist. */
export function findTestFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => path.resolve(folder, name));
  return files.toSorted();
}

/**
 * Runs a file; once more where Node's own cleanup did not end after its last test. Where that happens again the file has
 * passed: every test has, and nothing was open at its exit. The run names it.
 */
async function runOnceMore(file: string, options: FileOptions, how: FolderRun): Promise<FileResult> {
  const first = await runTestFile(file, options);
  if (!first.isNodesHang) return first;
  const second = await runTestFile(file, options);
  if (!second.isNodesHang) return second;
  how.onNodesHang?.(path.relative(how.root, file));
  // The only failure is that of the killed process.
  return { ...second, hung: null, events: second.events.filter(({ type }) => type !== 'test:fail') };
}

/** Runs the files of one process; one by one where that does not show which of them is at fault. */
async function runGroup(files: readonly string[], options: FileOptions, how: FolderRun): Promise<FileResult[]> {
  const together = files.length > 1 ? await runBatch(files, options) : null;
  if (together !== null) return together;
  const results: FileResult[] = [];
  for (const file of files) results.push(await runOnceMore(file, options, how));
  return results;
}

/**
 * Marks of a file that needs a process of its own: hooks for each test, which would apply to the tests of other files too,
 * suites of other files, or a declaration in the opening comment.
 */
const OWN_PROCESS = /^(?:beforeEach|afterEach)\(|^await import\(|^\/\/ Own process: /m;

/**
 * Groups of `size` neighbours: files of one folder load much the same modules. A file that needs a process of its own is a
 * group.
 */
function groupsOf(files: readonly string[], size: number): string[][] {
  const isAlone = (file: string): boolean => OWN_PROCESS.test(readFileSync(file, 'utf8'));
  const alone = size === 1 ? files : files.filter(isAlone);
  const others = files.filter((file) => !alone.includes(file));
  const count = Math.ceil(others.length / size);
  const groups = Array.from({ length: count }, (_, at) => others.slice(at * size, (at + 1) * size));
  return [...groups, ...alone.map((file) => [file])].toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

/** Runs the files, `part.concurrency` processes at a time, and counts in their order. */
export async function runFolder(part: TestPart, files: readonly string[], how: FolderRun): Promise<Tally> {
  // Each run of node:test listens to a few events of the process while it lasts.
  process.setMaxListeners(process.getMaxListeners() + part.concurrency);
  const { root, grep, environment } = how;
  const options: FileOptions = { root, grep, environment, limits: limitsOf(how) };
  const results = new Map<string, FileResult>();
  const waiting = groupsOf(files, part.filesPerProcess ?? 1);
  const take = (result: FileResult): void => {
    results.set(result.file, result);
    const { file, durationMs, cpuMs } = result;
    how.onFile?.({ file: path.relative(how.root, file), durationMs, cpuMs });
  };
  const lane = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      (await runGroup(group, options, how)).forEach(take);
    }
  };
  await Promise.all(Array.from({ length: part.concurrency }, lane));
  const tally = new Tally(how.root);
  for (const file of files) tally.addFile(results.get(file)!);
  return tally;
}

function limitsOf({ limits = {}, patience = 1 }: FolderRun): FileLimits {
  const { testTimeoutMs = TEST_TIMEOUT_MS, silenceLimitMs = SILENCE_LIMIT_MS, exitLimitMs = EXIT_LIMIT_MS } = limits;
  return {
    testTimeoutMs: testTimeoutMs * patience,
    silenceLimitMs: silenceLimitMs * patience,
    exitLimitMs: exitLimitMs * patience,
  };
}
