// Runs one test file with node:test in a separate process, and kills the process if it hangs. Thread: main.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describeOpen, type DiagnosticReport } from './run-tests-open-handles.ts';
import { type FileLimits, FileWatch } from './run-tests-watch.ts';

/** Settings of a run. */
export interface FileOptions {
  readonly root: string;
  readonly grep: string | undefined;
  readonly limits: FileLimits;
  /** The complete environment of its process; that of the runner if absent. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/** Result of a file. */
export interface FileResult {
  readonly file: string;
  readonly events: readonly TestEvent[];
  /** Reason for which the process was killed, or null. */
  readonly hung: string | null;
  /** Whether every test had passed and nothing was open, and only Node's own cleanup did not end. */
  readonly isNodesHang: boolean;
  readonly durationMs: number;
  /** CPU time of its process and that process's children; null if it was killed. */
  readonly cpuMs: number | null;
}

const NOTHING_OPEN = 'nothing was open at its exit';
const LOOK_MS = 100;
/** Time for Node to write its report, and for a killed process to exit. */
const REPORT_LIMIT_MS = 2_000;
const KILL_LIMIT_MS = 5_000;

/** Runs a file, given by its absolute path. Resolves in bounded time after its process stops reporting. */
export async function runTestFile(file: string, options: FileOptions): Promise<FileResult> {
  const startMs = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-run-'));
  const watch = new FileWatch(file, options.limits, startMs);
  const events: TestEvent[] = [];
  const abort = new AbortController();
  const ended = collect(startRun(file, folder, options, abort.signal), (event) => {
    events.push(event);
    watch.add(event, performance.now());
  });
  const hung = await untilHung(watch, ended);
  let text: string | null = null;
  let isNodesHang = false;
  if (hung !== null) {
    text = await explainHang(watch, hung, folder);
    isNodesHang = text.endsWith(NOTHING_OPEN) && !events.some(({ type }) => type === 'test:fail');
    await killFile(folder, abort, ended);
  }
  const cpuMs = numberIn(path.join(folder, 'cpu'));
  rmSync(folder, { recursive: true, force: true });
  return { file, events, hung: text, isNodesHang, durationMs: performance.now() - startMs, cpuMs };
}

function startRun(file: string, folder: string, options: FileOptions, signal: AbortSignal): AsyncIterable<TestEvent> {
  const preload = pathToFileURL(path.join(import.meta.dirname, 'run-tests-child.mjs'));
  preload.searchParams.set('folder', folder);
  return run({
    files: [file],
    cwd: options.root,
    timeout: options.limits.testTimeoutMs,
    signal,
    execArgv: ['--import', preload.href],
    ...(options.environment === undefined ? {} : { env: options.environment }),
    ...(options.grep === undefined ? {} : { testNamePatterns: new RegExp(options.grep) }),
  });
}

async function collect(stream: AsyncIterable<TestEvent>, take: (event: TestEvent) => void): Promise<void> {
  for await (const event of stream) take(event);
}

/** Resolves with the limit that the process has exceeded, or with null if it ends first. */
async function untilHung(watch: FileWatch, ended: Promise<void>): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const look = setInterval(() => {
    const limitMs = watch.passedLimitMs(performance.now());
    if (limitMs !== null) resolve(limitMs);
  }, LOOK_MS);
  try {
    return await Promise.race([promise, ended.then(() => null)]);
  } finally {
    clearInterval(look);
  }
}

async function explainHang(watch: FileWatch, limitMs: number, folder: string): Promise<string> {
  const seconds = `${(limitMs / 1000).toFixed(1)} s`;
  const report = await readReport(watch, folder);
  const open = report === null ? 'its event loop does not turn' : `open: ${describeOpen(report)}`;
  const ended = `killed: it ended its last test but did not exit within ${seconds}`;
  switch (watch.phase) {
    case 'loading':
      return `killed: it reported no test within ${seconds}; ${open}`;
    case 'testing':
      return `killed: it reported nothing for ${seconds} while "${watch.testName}" ran; ${open}`;
    case 'exiting':
      return `${ended}: Node's cleanup does not end; ${report === null ? NOTHING_OPEN : open}`;
    default:
      return `${ended}; ${open}`;
  }
}

/** A process writes its report at its exit; before that, Node writes one on a signal, unless its event loop is blocked. */
async function readReport(watch: FileWatch, folder: string): Promise<DiagnosticReport | null> {
  const pid = numberIn(path.join(folder, 'pid'));
  const name = path.join(folder, watch.phase === 'exiting' ? 'exit.json' : 'report.json');
  if (watch.phase !== 'exiting' && pid !== null) signalProcess(pid, 'SIGUSR2');
  for (let leftMs = REPORT_LIMIT_MS; leftMs > 0; leftMs -= LOOK_MS) {
    try {
      return JSON.parse(readFileSync(name, 'utf8')) as DiagnosticReport;
    } catch {
      if (watch.phase === 'exiting' && !existsSync(name)) return null;
      await sleep(LOOK_MS);
    }
  }
  return null;
}

/** Kills the process; aborts node:test's run only if the process doesn't exit. */
async function killFile(folder: string, abort: AbortController, ended: Promise<void>): Promise<void> {
  const pid = numberIn(path.join(folder, 'pid'));
  if (pid === null) abort.abort();
  else signalProcess(pid, 'SIGKILL');
  await Promise.race([ended, sleep(KILL_LIMIT_MS)]);
  abort.abort();
  // A child process may keep its output open: stop waiting for the run.
  await Promise.race([ended, sleep(KILL_LIMIT_MS)]);
}

/** The number that a file contains, or null if there is none. */
function numberIn(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null;
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
