// Runs several test files in one process, so that they load the modules under test once. Thread: main.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FileOptions, runTestFile, type FileResult } from './run-tests-file.ts';

/**
 * Runs the files in one process, in their order. Returns null where they must run one by one to find out which of them
 * is at fault: the process hung or crashed, or a file reported no test.
 */
export async function runBatch(files: readonly string[], options: FileOptions): Promise<FileResult[] | null> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-batch-'));
  const entry = path.join(folder, 'batch.test.mjs');
  // Static: all modules are loaded before the first test starts, whose timers would be late otherwise.
  const imports = files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`);
  writeFileSync(entry, imports.join(''));
  try {
    return resultsOf(files, entry, await runTestFile(entry, options));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultsOf(files: readonly string[], entry: string, whole: FileResult): FileResult[] | null {
  const { events, hung } = whole;
  const summary = events.find((event) => event.type === 'test:summary' && event.data.file === entry);
  if (hung !== null || summary?.type !== 'test:summary') return null;
  const results = new Map(
    files.map((file): [string, FileResult & { events: TestEvent[]; durationMs: number }] => {
      const own: TestEvent = { type: 'test:summary', data: { ...summary.data, file } };
      return [file, { file, events: [own], hung: null, isNodesHang: false, durationMs: 0, cpuMs: null }];
    }),
  );
  const reporting = new Set<string>();
  for (const event of events) {
    if (!isOutcome(event) && event.type !== 'test:start') continue;
    // The process as a whole has failed: it has crashed.
    if (event.type === 'test:fail' && path.resolve(event.data.name) === entry) return null;
    const own = results.get(event.data.file ?? '');
    if (own === undefined) continue;
    own.events.push(event);
    if (!isOutcome(event)) continue;
    reporting.add(own.file);
    if (event.data.nesting === 0) own.durationMs += event.data.details.duration_ms;
  }
  for (const { file, events: own } of results.values()) {
    if (own.some(({ type }) => type === 'test:fail')) own.push(...outputAs(file, events));
  }
  return reporting.size === files.length ? shareCpu([...results.values()], whole.cpuMs) : null;
}

/** The process's CPU time, divided in proportion to the durations of the tests. */
function shareCpu(results: readonly FileResult[], cpuMs: number | null): FileResult[] {
  const totalMs = results.reduce((sum, { durationMs }) => sum + durationMs, 0) || 1;
  return results.map((one) => ({ ...one, cpuMs: cpuMs === null ? null : (cpuMs * one.durationMs) / totalMs }));
}

function isOutcome(event: TestEvent): event is Extract<TestEvent, { type: 'test:pass' | 'test:fail' }> {
  return event.type === 'test:pass' || event.type === 'test:fail';
}

/** All output of the process: it has the name of the entry, and may arrive before the events of the test that wrote it. */
function* outputAs(file: string, events: readonly TestEvent[]): Generator<TestEvent, void> {
  for (const event of events) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') yield { ...event, data: { ...event.data, file } };
  }
}
