// Load generator for HTTP/2: h2load's arguments for a case, its report, and its log of requests. Thread: main.

import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endWithUs } from '../peers/program.ts';
import type { BenchCase } from './cases.ts';
import type { WrkOptions, WrkResult } from './wrk.ts';

/** Files of a run: the body that is posted, and the log of requests. */
interface RunFiles {
  readonly body: string;
  readonly log: string;
}

/** Runs h2load against a case. The number of connections is the case's. */
export async function runH2load(benchCase: BenchCase, options: WrkOptions): Promise<WrkResult> {
  const files = { body: join(options.folder, 'h2load-body'), log: join(options.folder, 'h2load-log') };
  await rm(files.log, { force: true });
  if (benchCase.postBytes > 0) await writeFile(files.body, 'x'.repeat(benchCase.postBytes));
  const args = ['-c', options.cores, 'h2load', ...h2loadArguments(benchCase, options, files)];
  const running = promisify(execFile)('taskset', args, { encoding: 'utf8' });
  endWithUs(running.child);
  const report = (await running).stdout;
  return parseH2load(report, await readFile(files.log, 'utf8'), options.seconds);
}

export function h2loadArguments(benchCase: BenchCase, options: WrkOptions, files: RunFiles): readonly string[] {
  const { connections, streams } = benchCase.http2!;
  const scheme = benchCase.isTls ? 'https' : 'http';
  const load = ['--threads', '1', '--clients', String(connections), '--max-concurrent-streams', String(streams)];
  return [
    ...load,
    '--duration',
    String(options.seconds),
    '--log-file',
    files.log,
    ...benchCase.fields.flatMap((field) => ['--header', field]),
    ...(benchCase.postBytes > 0 ? ['--data', files.body] : []),
    `${scheme}://127.0.0.1:${options.port}${benchCase.path}`,
  ];
}

/**
 * Parses h2load's report, and its log: a line for each request with its start, status and duration in microseconds.
 * Requests in flight when the time is over are neither done nor failed.
 * @throws Error when the text is not a report
 */
export function parseH2load(report: string, log: string, seconds: number): WrkResult {
  const counts = /^requests: .*?(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(report);
  if (counts === null) throw new Error(`not a report of h2load:\n${report}`);
  const [, , succeeded = 0, failed = 0, errored = 0, timeouts = 0] = counts.map(Number);
  const problems: string[] = [];
  if (succeeded === 0) problems.push('no request was answered');
  if (failed + errored + timeouts > 0) {
    problems.push(`${failed} requests failed, ${errored} with an error, ${timeouts} by a timeout`);
  }
  const unwanted = /status codes: \d+ 2xx, (.*)/.exec(report)?.[1] ?? '';
  if (/[1-9]/.test(unwanted.replaceAll(/\dxx/g, ''))) problems.push(`responses not 2xx: ${unwanted}`);
  const durations = durationsOf(log);
  return {
    requests: succeeded,
    requestsPerSecond: succeeded / seconds,
    p50Ms: percentile(durations, 0.5),
    p99Ms: percentile(durations, 0.99),
    problems,
  };
}

/** Milliseconds, sorted. */
function durationsOf(log: string): Float64Array {
  const lines = log.split('\n').filter((line) => line !== '');
  return Float64Array.from(lines, (line) => Number(line.split('\t')[2]) / 1000).toSorted();
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
