// Cost of tracing: CPU time of a small request without `tracing`, with it where nothing is recorded, and at 1 %. All three
// processes run at once and are loaded in turns, so that a change of the machine meets them alike.
// Usage: npm run bench:tracing [-- ROUNDS]. Thread: main.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preparePrograms } from '../peers/program.ts';
import { CASES } from './cases.ts';
import { startOrigin } from './origin.ts';
import { cpuUsOf } from './process-stat.ts';
import { fairleadWith } from './proxies/fairlead.ts';
import type { Proxy, RunningProxy } from './proxies/proxy.ts';
import { median } from './summary.ts';
import { runWrk } from './wrk.ts';
import { readArguments } from '../usage.ts';

const USAGE = `npm run bench:tracing -- [ROUNDS]
Measures the cost of tracing: without it, where nothing is recorded, and at 1 %.`;
const { positionals } = readArguments(USAGE, {}, 1);

const DEFAULT_ROUNDS = 3;
const WARMUP_SECONDS = 6;
/** Loads of each process in a round, and the seconds of one. */
const TURNS = 5;
const TURN_SECONDS = 2;
const CORES = { proxy: '0', load: '1' };
const SMALL = CASES.find(({ name }) => name === 'small')!;

/** @param share of requests that is recorded; '' without tracing */
function variant(title: string, share: string): Proxy {
  return fairleadWith(`tracing-${share}`, title, ({ originPort }) => {
    // The origin reads the spans, and answers as a receiver does.
    const receiver = `"http://127.0.0.1:${originPort}/post"`;
    return share === '' ? '' : `tracing: { endpoint: ${receiver}, sampling: ${share} }`;
  });
}

const VARIANTS = [
  variant('no tracing', ''),
  variant('tracing, nothing recorded', '0%'),
  variant('tracing at 1 %', '1%'),
];

preparePrograms();
const folder = mkdtempSync(join(tmpdir(), 'fairlead-tracing-cost-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const origin = await startOrigin(folder, CORES.load);
const [rounds = DEFAULT_ROUNDS] = positionals.map(Number);
/** By turn of all rounds: microseconds for a request of each variant. */
const costs: number[][] = [];
for (let round = 0; round < rounds; round += 1) {
  costs.push(...(await measureRound()));
  console.log(`round ${round + 1}/${rounds} done`);
}
for (const [at, { title }] of VARIANTS.entries()) {
  const us = median(costs.map((turn) => turn[at]!));
  // Within a turn: a change of the machine between turns is in all three.
  const added = median(costs.map((turn) => (turn[at]! / turn[0]! - 1) * 100));
  console.log(`${title}: ${us.toFixed(2)} us a request${at === 0 ? '' : `, ${added.toFixed(1)} % more`}`);
}
await origin.stop();

async function measureRound(): Promise<number[][]> {
  const started: RunningProxy[] = [];
  for (const proxy of VARIANTS) {
    const setup = { folder, originPort: origin.port, cores: CORES.proxy, workers: 1, certificate: null };
    started.push(await proxy.start({ ...setup, isHttp2: false, hasAccessLog: false, gzipLevel: 0 }));
  }
  for (const running of started) await load(running, WARMUP_SECONDS);
  const turns: number[][] = [];
  for (let turn = 0; turn < TURNS; turn += 1) turns.push(await measureTurn(started));
  for (const running of started) await running.stop();
  return turns;
}

/** Loads each process once. */
async function measureTurn(started: readonly RunningProxy[]): Promise<number[]> {
  const spent: number[] = [];
  for (const running of started) {
    const beforeUs = cpuUsOf(running.pid);
    const requests = await load(running, TURN_SECONDS);
    spent.push((cpuUsOf(running.pid) - beforeUs) / requests);
  }
  return spent;
}

async function load({ port }: RunningProxy, seconds: number): Promise<number> {
  const { requests, problems } = await runWrk(SMALL, { folder, port, seconds, connections: 64, cores: CORES.load });
  if (problems.length > 0) throw new Error(problems.join('; '));
  return requests;
}
