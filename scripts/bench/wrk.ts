// Load generator: wrk's arguments for a case, and its report. Thread: main.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchCase } from './cases.ts';
import { endWithUs } from '../peers/program.ts';

/** Result of one run of wrk. */
export interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Problems as text; empty when every request was answered correctly. */
  readonly problems: readonly string[];
}

export interface WrkOptions {
  /** Folder for a script. */
  readonly folder: string;
  readonly port: number;
  readonly seconds: number;
  readonly connections: number;
  /** Cores for taskset. */
  readonly cores: string;
}

/** A shared machine may stall; a longer run counts as failed. */
const ANSWER_TIMEOUT_SECONDS = 10;
const MS_OF: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Runs wrk against a case. */
export async function runWrk(benchCase: BenchCase, options: WrkOptions): Promise<WrkResult> {
  const script = join(options.folder, 'post.lua');
  if (benchCase.postBytes > 0) await writeFile(script, postScript(benchCase.postBytes));
  const args = ['-c', options.cores, 'wrk', ...wrkArguments(benchCase, options, script)];
  const running = promisify(execFile)('taskset', args, { encoding: 'utf8' });
  endWithUs(running.child);
  return parseWrk((await running).stdout);
}

export function wrkArguments(benchCase: BenchCase, options: WrkOptions, script: string): readonly string[] {
  const url = `${benchCase.isTls ? 'https' : 'http'}://127.0.0.1:${options.port}${benchCase.path}`;
  const load = ['--threads', '1', '--connections', String(options.connections), '--duration', `${options.seconds}s`];
  const report = ['--latency', '--timeout', `${ANSWER_TIMEOUT_SECONDS}s`];
  return [
    ...load,
    ...report,
    ...benchCase.fields.flatMap((field) => ['--header', field]),
    ...(benchCase.postBytes > 0 ? ['--script', script] : []),
    url,
  ];
}

function postScript(bytes: number): string {
  return `wrk.method = "POST"\nwrk.headers["Content-Type"] = "text/plain"\nwrk.body = string.rep("x", ${bytes})\n`;
}

/** Parses wrk's report (with --latency). @throws Error when the text is not one */
export function parseWrk(report: string): WrkResult {
  const requests = Number(find(report, /^\s*(\d+) requests in /m));
  const problems: string[] = [];
  if (requests === 0) problems.push('no request was answered');
  const unwanted = /Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1];
  if (unwanted !== undefined) problems.push(`${unwanted} responses not 2xx or 3xx`);
  const errors = /Socket errors: (.+)/.exec(report)?.[1];
  if (errors !== undefined) problems.push(`socket errors: ${errors.replace(/(?:, )?\w+ 0\b/g, '').replace(/^, /, '')}`);
  return {
    requests,
    requestsPerSecond: Number(find(report, /^Requests\/sec:\s+([\d.]+)/m)),
    // wrk pads units of one letter (s, m) with a space.
    p50Ms: toMs(find(report, /^\s+50%\s+(\S+) *$/m)),
    p99Ms: toMs(find(report, /^\s+99%\s+(\S+) *$/m)),
    problems,
  };
}

/** A time in wrk's notation, such as 330.00us, in milliseconds. */
function toMs(text: string): number {
  const [, figure, unit] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  const factor = MS_OF[unit ?? ''];
  if (factor === undefined) throw new Error(`not a time of wrk: ${text}`);
  return Number(figure) * factor;
}

function find(report: string, pattern: RegExp): string {
  const found = pattern.exec(report)?.[1];
  if (found === undefined) throw new Error(`not a report of wrk (no ${pattern.source}):\n${report}`);
  return found;
}
