// Reloads under load: Fairlead in one process, app servers in another, requests at a fixed rate and open streams while
// the configuration changes repeatedly. Thread: main.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brokenStreams, openStreams } from './open-streams.ts';
import { type PacedLoadResult, startPacedLoad } from './paced-load.ts';

const ENTRY = path.join(import.meta.dirname, '../../bin/fairlead.ts');
const ORIGINS = path.join(import.meta.dirname, 'origin-program.ts');
/** The first two carry the streams and stay. */
const ENDPOINTS = 8;
const STAYING = 2;
const PAGE_BYTES = 4096;
const PATHS = ['/', '/a', '/b?x=1', '/route/1'] as const;

export interface ReloadsOptions {
  readonly seconds: number;
  readonly reloads: number;
  readonly perSecond: number;
  /** Number of streams of each kind. */
  readonly streams: number;
}

export interface ReloadsResult extends PacedLoadResult {
  /** Number of changes in each reload's report. */
  readonly changes: readonly number[];
  readonly longestReloadMs: number;
  /** Broken streams whose endpoint stayed; empty means success. */
  readonly broken: readonly string[];
  /** Resident memory in MiB, twice a second. */
  readonly rssMib: readonly number[];
  /** RuntimeHistory that the admin API told of at the end. */
  readonly generations: number;
}

export async function measureReloads(options: ReloadsOptions): Promise<ReloadsResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-reloads-'));
  const origins = fork(ORIGINS, [String(ENDPOINTS)]);
  const [ports] = (await once(origins, 'message')) as [number[]];
  const file = path.join(folder, 'fairlead.yaml');
  writeFileSync(file, configAt(0, ports));
  const child = spawn(process.execPath, [ENTRY, 'run', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const { port, admin } = await readiness(child);
    return await underLoad(options, {
      port,
      admin,
      pid: child.pid!,
      rewrite: (at) => writeFileSync(file, configAt(at, ports)),
    });
  } finally {
    child.kill('SIGKILL');
    origins.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Setting {
  readonly port: number;
  readonly admin: string;
  readonly pid: number;
  readonly rewrite: (at: number) => void;
}

async function underLoad(options: ReloadsOptions, setting: Setting): Promise<ReloadsResult> {
  const streams = await openStreams(setting.port, options.streams);
  const load = startPacedLoad({
    port: setting.port,
    perSecond: options.perSecond,
    freshEvery: 5,
    kept: 64,
    paths: PATHS,
  });
  const rssMib: number[] = [];
  const sampling = setInterval(() => rssMib.push(rssOf(setting.pid)), 500);
  const changes: number[] = [];
  let longestReloadMs = 0;
  const begunMs = performance.now();
  for (let at = 1; at <= options.reloads; at++) {
    const dueMs = begunMs + (at * options.seconds * 1_000) / (options.reloads + 1);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    setting.rewrite(at);
    const askedMs = performance.now();
    changes.push(await reload(setting.admin));
    longestReloadMs = Math.max(longestReloadMs, performance.now() - askedMs);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  clearInterval(sampling);
  const result = await load.stop();
  const broken = brokenStreams(streams);
  const generations = await generationsOf(setting.admin);
  for (const stream of streams) stream.close();
  return { ...result, changes, longestReloadMs, broken, rssMib, generations };
}

/** Each configuration differs from the previous one in weights, endpoints and routes. */
function configAt(at: number, ports: readonly number[]): string {
  const moving = ports.slice(STAYING).filter((_port, index) => (index + at) % 3 !== 0);
  const endpoint = (port: number, index: number): string =>
    `{ url: "http://127.0.0.1:${port}", weight: ${1 + ((at + index) % 5)} }`;
  const list = (some: readonly number[]): string => some.map(endpoint).join(', ');
  const routes = Array.from(
    { length: 1 + (at % 4) },
    (_, index) => `  - { match: { path: /route/${index} }, upstream: app }`,
  );
  return `workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
admin: { bind: "127.0.0.1:0" }
routes:
  - { match: { path: /events }, upstream: streams }
  - { match: { path: /socket }, upstream: streams }
${routes.join('\n')}
  - { upstream: app }
upstreams:
  streams: { endpoints: [${list(ports.slice(0, STAYING))}], timeouts: { idle: 60s } }
  app: { endpoints: [${list([...ports.slice(0, STAYING), ...moving])}], health: { heartbeat: { path: /healthz, interval: 1s } } }
log: { level: info }
`;
}

/** Log line of a process that serves. */
async function readiness(child: ChildProcess): Promise<{ port: number; admin: string }> {
  let text = '';
  for await (const chunk of child.stderr!.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    const line = text.split('\n').find((one) => one.includes('"ready: '));
    if (line === undefined) continue;
    const { listeners, admin } = JSON.parse(line) as { listeners: string[]; admin: string };
    child.stderr!.resume();
    return { port: Number(listeners[0]!.split(':').at(-1)), admin };
  }
  throw new Error(`Fairlead did not start:\n${text}`);
}

async function reload(admin: string): Promise<number> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const answer = await fetch(`http://${admin}/api/v1/reload`, init);
  const body = (await answer.json()) as { changes?: string[] };
  if (!answer.ok) throw new Error(`a reload was refused: ${JSON.stringify(body)}`);
  return body.changes!.length;
}

async function generationsOf(admin: string): Promise<number> {
  const answer = await fetch(`http://${admin}/api/v1/config`);
  return ((await answer.json()) as { generations: unknown[] }).generations.length;
}

function rssOf(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return Math.round((pages * PAGE_BYTES) / 1024 / 1024);
}
