// Runs one folder of test files with node:test, each file in a process of its own, and never hangs. Thread: main.

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { run, type EventData } from 'node:test';
import { SILENCE_LIMIT_MS, TEST_TIMEOUT_MS, type TestPart } from './run-tests-parts.ts';
import { Tally } from './run-tests-tally.ts';

/** How a folder is run. */
export interface FolderRun {
  /** The directory that the folder and all paths are in. */
  readonly root: string;
  readonly grep: string | undefined;
  /** Milliseconds; tests of this module shorten them. */
  readonly testTimeoutMs?: number;
  readonly silenceLimitMs?: number;
  /** Told of each file that took longer than SLOW_FILE_MS, with its path from the root. */
  readonly onSlowFile?: (file: string, durationMs: number) => void;
}

const SLOW_FILE_MS = 5_000;

/** The *.test.ts files below a folder, absolute and sorted; none where it doesn't exist. */
export function findTestFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => path.resolve(folder, name));
  return files.toSorted();
}

/**
 * Runs the files and counts. A test may take `testTimeoutMs`; when no file reports anything for `silenceLimitMs`, all
 * that still run are killed and fail, by name.
 */
export async function runFolder(part: TestPart, files: readonly string[], how: FolderRun): Promise<Tally> {
  const tally = new Tally(how.root);
  const abort = new AbortController();
  const silenceLimitMs = how.silenceLimitMs ?? SILENCE_LIMIT_MS;
  const silence = setTimeout(() => abort.abort(), silenceLimitMs);
  const events = run({
    files: [...files],
    cwd: how.root,
    concurrency: part.concurrency,
    timeout: how.testTimeoutMs ?? TEST_TIMEOUT_MS,
    signal: abort.signal,
    ...(how.grep === undefined ? {} : { testNamePatterns: new RegExp(how.grep) }),
  });
  for await (const event of events) {
    silence.refresh();
    tally.add(event);
    if (event.type === 'test:summary') tellIfSlow(event.data, how);
  }
  clearTimeout(silence);
  tally.end(files);
  return tally;
}

function tellIfSlow(summary: EventData.TestSummary, how: FolderRun): void {
  if (summary.file === undefined || summary.duration_ms < SLOW_FILE_MS) return;
  how.onSlowFile?.(path.relative(how.root, summary.file), summary.duration_ms);
}
