// Fairlead in this process, with upstreams whose lists of endpoints change at a fixed rate. Thread: main.

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../config/load.ts';
import { ControlPlane } from '../../control/control-plane.ts';
import { openFunctionLog } from '../../logging/process-log.ts';

export interface ChurnOptions {
  readonly upstreams: number;
  /** Of each upstream. */
  readonly endpoints: number;
  /** Changes of endpoints a second, over all upstreams. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** Shares of a core, and latencies of requests to the one upstream that doesn't change. */
export interface ChurnPhase {
  readonly mainCpu: number;
  readonly allCpu: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ChurnResult {
  readonly quiet: ChurnPhase;
  readonly busy: ChurnPhase;
  readonly changes: number;
  readonly batches: number;
  readonly failures: number;
  readonly rssMib: readonly number[];
}

const TICK_MS = 20;
const REQUEST_EVERY_MS = 20;
/** Of the phase with changes. */
const MEMORY_SAMPLES = 10;

/** The lists of all upstreams. Each change replaces one endpoint of one of them. */
class Lists {
  readonly #folder: string;
  readonly #endpoints: number;
  readonly #first: number[];
  #next = 0;

  constructor(folder: string, { upstreams, endpoints }: ChurnOptions) {
    this.#folder = folder;
    this.#endpoints = endpoints;
    this.#first = Array.from({ length: upstreams }, () => 0);
    for (let index = 0; index < upstreams; index++) {
      mkdirSync(path.join(folder, `${index}`));
      this.#write(index);
    }
  }

  pathOf(index: number): string {
    return path.join(this.#folder, `${index}`, 'list.json');
  }

  change(): void {
    const index = this.#next++ % this.#first.length;
    this.#first[index]!++;
    this.#write(index);
  }

  #write(index: number): void {
    const first = this.#first[index]!;
    const urls = Array.from({ length: this.#endpoints }, (_, at) => {
      const number = (first + at) % 65_536;
      return `http://10.${index & 255}.${number >> 8}.${number & 255}:${3000 + (index >> 8)}`;
    });
    writeFileSync(`${this.pathOf(index)}.next`, JSON.stringify(urls));
    renameSync(`${this.pathOf(index)}.next`, this.pathOf(index));
  }
}

export async function measureChurn(options: ChurnOptions): Promise<ChurnResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-churn-'));
  const app = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(app, 'listening');
  const lists = new Lists(folder, options);
  const plane = startPlane(folder, configOf(options, lists, (app.address() as AddressInfo).port));
  try {
    await plane.start();
    return await run(plane, lists, options);
  } finally {
    await plane.close();
    app.close();
    app.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(plane: ControlPlane, lists: Lists, { perSecond, seconds }: ChurnOptions): Promise<ChurnResult> {
  const rssMib: number[] = [];
  const url = `http://127.0.0.1:${plane.bound[0]!.port}/`;
  let failures = 0;
  const noteMemory = (): void => void rssMib.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
  /** @param samples of memory, at equal distances */
  const phase = async (lengthS: number, act: () => void, samples = 1): Promise<ChurnPhase> => {
    const times: number[] = [];
    let sampled = 0;
    const [main, all, beganMs] = [process.threadCpuUsage(), process.cpuUsage(), performance.now()];
    for (let nextMs = beganMs; performance.now() - beganMs < lengthS * 1000; nextMs += TICK_MS) {
      act();
      if (performance.now() - beganMs > ((sampled + 1) / samples) * lengthS * 1000) noteMemory();
      sampled = Math.floor(((performance.now() - beganMs) / 1000 / lengthS) * samples);
      const tookMs = await timeOf(url);
      if (tookMs === null) failures++;
      else times.push(tookMs);
      await sleep(Math.max(0, nextMs + REQUEST_EVERY_MS - performance.now()));
    }
    const microseconds = (performance.now() - beganMs) * 1000;
    const [mainUsed, allUsed] = [process.threadCpuUsage(main), process.cpuUsage(all)];
    times.sort((a, b) => a - b);
    noteMemory();
    return {
      mainCpu: (mainUsed.user + mainUsed.system) / microseconds,
      allCpu: (allUsed.user + allUsed.system) / microseconds,
      p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
      p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    };
  };
  await phase(1, () => undefined);
  const quiet = await phase(seconds / 3, () => undefined);
  const before = plane.snapshot.membership;
  const beganMs = performance.now();
  let changes = 0;
  const busy = await phase(
    seconds,
    () => {
      const due = ((performance.now() - beganMs) / 1000) * perSecond;
      for (; changes < due; changes++) lists.change();
    },
    MEMORY_SAMPLES,
  );
  return { quiet, busy, changes, batches: plane.snapshot.membership - before, failures, rssMib };
}

/** Time of a request in ms; null where it failed. */
function timeOf(url: string): Promise<number | null> {
  const beganMs = performance.now();
  return new Promise((resolve) => {
    const request = get(url, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? performance.now() - beganMs : null));
      response.on('error', () => resolve(null));
    });
    request.on('error', () => resolve(null));
  });
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

function configOf({ upstreams }: ChurnOptions, lists: Lists, port: number): string {
  const changing = Array.from(
    { length: upstreams },
    (_, index) =>
      `  u${index}: { discover: { file: { path: "${lists.pathOf(index)}" } }, health: { heartbeat: false, passive: { outliers: false } } }`,
  );
  const routes = changing.map((_, index) => `  - { match: { host: u${index}.test }, upstream: u${index} }`);
  return `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
${routes.join('\n')}
  - { upstream: fixed }
upstreams:
  fixed: { endpoints: ["http://127.0.0.1:${port}"] }
${changing.join('\n')}
`;
}
