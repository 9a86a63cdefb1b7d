// Fairlead in this process, with upstreams whose lists of endpoints change at a fixed rate. Thread: main.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LaneSums } from '../../admin/metrics/lane-sums.ts';
import { loadConfig } from '../../config/load.ts';
import { ControlPlane } from '../../control/control-plane.ts';
import { percentileMs } from '../../core/latency-percentile.ts';
import { LATENCY_BUCKETS } from '../../core/memory/lane-fields.ts';
import { openFunctionLog } from '../../logging/process-log.ts';
import { percentilesOf } from '../chaos/figures.ts';
import { listPath, type ListsMessage, type ListsStart } from './lists.ts';
import type { LoadMeasured, LoadMessage } from './load.ts';

export interface ChurnOptions extends Omit<ListsStart, 'folder'> {
  /** Of changes, over all rounds. */
  readonly seconds: number;
}

/** CPU time in shares of a core, and latencies of requests to the one upstream that doesn't change. */
export interface ChurnPhase {
  readonly mainCpu: number;
  readonly allCpu: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** As the workers record it: without the delays of the client's thread, within a bucket of the histogram. */
  readonly workerP99Ms: number;
  /** Without Fairlead, by the same client. */
  readonly directP99Ms: number;
}

export interface ChurnResult {
  readonly quiet: ChurnPhase;
  readonly busy: ChurnPhase;
  readonly changes: number;
  readonly batches: number;
  readonly failures: number;
  /** After each round. */
  readonly rssMib: readonly number[];
}

/** The upstream that doesn't change, and receives all requests. */
const FIXED = 'fixed';
/** Rests and changes alternate, so that both see the same machine. */
const ROUNDS = 5;
/** Of the time of changes. */
const REST_SHARE = 0.5;
/** The last changes of a round are applied before the next rest is measured. */
const SETTLE_MS = 400;

export async function measureChurn(options: ChurnOptions): Promise<ChurnResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-churn-'));
  const [load, lists] = [new ScriptThread('load.ts', null), new ScriptThread('lists.ts', { ...options, folder })];
  try {
    const port = (await load.started) as number;
    await lists.started;
    const plane = startPlane(folder, configOf(options, folder, port));
    try {
      await plane.start();
      return await run(plane, load, lists, options.seconds);
    } finally {
      await plane.close();
    }
  } finally {
    await Promise.all([load.end(), lists.end()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A thread that answers each message with one, and sends one when it has started. */
class ScriptThread {
  readonly #worker: Worker;
  readonly started: Promise<unknown>;

  constructor(file: string, start: object | null) {
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: start });
    this.started = this.#next();
  }

  async #next(): Promise<unknown> {
    const [reply] = await once(this.#worker, 'message');
    return reply;
  }

  call(message: LoadMessage | ListsMessage): Promise<unknown> {
    const reply = this.#next();
    this.#worker.postMessage(message);
    return reply;
  }

  end(): Promise<unknown> {
    return this.#worker.terminate();
  }
}

async function run(
  plane: ControlPlane,
  load: ScriptThread,
  lists: ScriptThread,
  seconds: number,
): Promise<ChurnResult> {
  const url = `http://127.0.0.1:${plane.bound[0]!.port}/`;
  const { index } = plane.snapshot.upstreams.find(({ name }) => name === FIXED)!;
  const sums = new LaneSums(plane.region);
  const latencies = (): Float64Array => sums.upstreamLatencies(index);
  const [quiet, busy] = [new PhaseTotals(latencies), new PhaseTotals(latencies)];
  const measured = async (): Promise<LoadMeasured> => (await load.call({ url })) as LoadMeasured;
  const setChanging = async (isChanging: boolean): Promise<number> => (await lists.call({ isChanging })) as number;
  const rssMib: number[] = [];
  let changes = 0;
  let failures = 0;
  await measured();
  await sleep(1000);
  const before = plane.snapshot.membership;
  for (let round = 0; round < ROUNDS; round++) {
    await measured();
    failures += await quiet.add(((1000 * seconds) / ROUNDS) * REST_SHARE, measured);
    await setChanging(true);
    failures += await busy.add((1000 * seconds) / ROUNDS, measured);
    changes = await setChanging(false);
    await sleep(SETTLE_MS);
    rssMib.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
  }
  const batches = plane.snapshot.membership - before;
  return { quiet: quiet.result(), busy: busy.result(), changes, batches, failures, rssMib };
}

/** One kind of phase, over all rounds. */
class PhaseTotals {
  readonly #times: number[] = [];
  readonly #direct: number[] = [];
  readonly #latencies: () => Float64Array;
  readonly #histogram = new Float64Array(LATENCY_BUCKETS);
  #mainUs = 0;
  #allUs = 0;
  #wallUs = 0;

  /** @param latencies histogram of the workers, since their start */
  constructor(latencies: () => Float64Array) {
    this.#latencies = latencies;
  }

  /** Measures for a time. Returns the number of failed requests. @param measured of the load, since its last call */
  async add(ms: number, measured: () => Promise<LoadMeasured>): Promise<number> {
    const before = this.#latencies();
    const [main, all, beganMs] = [process.threadCpuUsage(), process.cpuUsage(), performance.now()];
    await sleep(ms);
    const [mainUsed, allUsed] = [process.threadCpuUsage(main), process.cpuUsage(all)];
    this.#wallUs += (performance.now() - beganMs) * 1000;
    this.#mainUs += mainUsed.user + mainUsed.system;
    this.#allUs += allUsed.user + allUsed.system;
    for (const [bucket, count] of this.#latencies().entries()) this.#histogram[bucket]! += count - before[bucket]!;
    const { times, direct, failures } = await measured();
    this.#times.push(...times);
    this.#direct.push(...direct);
    return failures;
  }

  result(): ChurnPhase {
    const { p50, p99 } = percentilesOf(this.#times);
    return {
      mainCpu: this.#mainUs / this.#wallUs,
      allCpu: this.#allUs / this.#wallUs,
      p50Ms: p50,
      p99Ms: p99,
      workerP99Ms: percentileMs(this.#histogram, 0.99) ?? 0,
      directP99Ms: percentilesOf(this.#direct).p99,
    };
  }
}

function startPlane(folder: string, yaml: string): ControlPlane {
  const file = path.join(folder, 'fairlead.yaml');
  writeFileSync(file, yaml);
  const log = openFunctionLog((level, _fields, text) => {
    if (level === 'error') console.error(text);
  });
  log.setLevel('error');
  return new ControlPlane({ load: () => loadConfig(file, {}), environment: {}, version: '0.0.0-churn', log });
}

function configOf({ upstreams }: ChurnOptions, folder: string, port: number): string {
  const changing = Array.from(
    { length: upstreams },
    (_, index) =>
      `  u${index}: { discover: { file: { path: "${listPath(folder, index)}" } }, health: { heartbeat: false, passive: { outliers: false } } }`,
  );
  const routes = changing.map((_, index) => `  - { match: { host: u${index}.test }, upstream: u${index} }`);
  return `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
${routes.join('\n')}
  - { upstream: ${FIXED} }
upstreams:
  ${FIXED}: { endpoints: ["http://127.0.0.1:${port}"] }
${changing.join('\n')}
`;
}
