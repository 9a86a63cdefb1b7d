// Start, reload and memory of a configuration with many routes (`npm run many-routes`): hosts differ, each with a path and a
// policy. Each time is stated twice: elapsed, and as CPU time of the main thread and of the busiest other thread together,
// which is the elapsed time on an idle machine. Memory per route is the difference to a process with one route. Options:
// --routes, --workers, --reloads, --built (the compiled package in dist/), --limit (ms; exit code 1 above it). Thread: main.

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { BUILT_COMMAND, FairleadProcess } from './peers/fairlead-process.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run many-routes -- [--routes 10000] [--workers 2] [--reloads 3] [--limit 2000] [--built]
Measures start, reloads and memory of a configuration with many routes.

  --limit MS   ends with 1 where a reload takes longer
  --built      uses the compiled package in dist/`;

const { values } = readArguments(USAGE, {
  routes: { type: 'string', default: '10000' },
  workers: { type: 'string', default: '2' },
  reloads: { type: 'string', default: '3' },
  built: { type: 'boolean', default: false },
  limit: { type: 'string', default: '2000' },
});
const routes = Number(values.routes);
const workers = Number(values.workers);
const reloads = Number(values.reloads);
const limitMs = Number(values.limit);
if (values.built && !existsSync(BUILT_COMMAND)) throw new Error(`${BUILT_COMMAND} is missing: run npm run build first`);

const one = await measure(1);
const many = await measure(routes);
const bytes = (many.residentBytes - one.residentBytes) / routes;
console.log(`start with one route: ${shown(one.start)}`);
console.log(`start with ${routes} routes: ${shown(many.start)}`);
for (const [at, spent] of many.reloads.entries()) console.log(`reload ${at + 1}: ${shown(spent)}`);
console.log(`memory: ${(bytes / 1024).toFixed(1)} KiB a route with ${workers} workers`);
const worstMs = Math.max(...[many.start, ...many.reloads].flatMap(({ cpuMs, elapsedMs }) => [cpuMs, elapsedMs]));
process.exitCode = worstMs > limitMs ? 1 : 0;

interface Spent {
  readonly cpuMs: number;
  readonly elapsedMs: number;
}

interface Figures {
  readonly start: Spent;
  readonly reloads: readonly Spent[];
  readonly residentBytes: number;
}

function shown({ cpuMs, elapsedMs }: Spent): string {
  return `${cpuMs} ms of CPU, ${elapsedMs} ms elapsed`;
}

async function measure(count: number): Promise<Figures> {
  const beginMs = performance.now();
  const entry = values.built ? BUILT_COMMAND : undefined;
  const fairlead = await FairleadProcess.start((ports) => configOf(count, ports, 'text 0'), [], entry);
  try {
    const pid = fairlead.child.pid!;
    const start = { elapsedMs: since(beginMs), cpuMs: slowestPath(pid, cpuMsOf(pid), new Map()) };
    const residentBytes = await fairlead.residentBytes();
    const spent: Spent[] = [];
    for (let at = 1; at <= reloads; at++) {
      await fairlead.rewrite((ports) => configOf(count, ports, `text ${at}`));
      const before = cpuMsOf(pid);
      const reloadMs = performance.now();
      await reload(fairlead.adminUrl);
      spent.push({ elapsedMs: since(reloadMs), cpuMs: slowestPath(pid, cpuMsOf(pid), before) });
    }
    return { start, reloads: spent, residentBytes };
  } finally {
    await fairlead.stop();
  }
}

function since(beginMs: number): number {
  return Math.round(performance.now() - beginMs);
}

/** CPU time in ms of each thread of a process. */
function cpuMsOf(pid: number): ReadonlyMap<number, number> {
  const folder = `/proc/${pid}/task`;
  const threads = readdirSync(folder).map(Number);
  return new Map(
    threads.map((id) => [id, Number(readFileSync(`${folder}/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6]),
  );
}

/** CPU time between two readings: of the main thread, and of the busiest other one, which follows it. */
function slowestPath(pid: number, after: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>): number {
  const spent = [...after].map(([id, ms]): [number, number] => [id, ms - (before.get(id) ?? 0)]);
  const main = spent.find(([id]) => id === pid)?.[1] ?? 0;
  return Math.round(main + Math.max(...spent.filter(([id]) => id !== pid).map(([, ms]) => ms)));
}

function configOf(count: number, ports: { web: number; admin: number }, text: string): string {
  const lines = Array.from(
    { length: count },
    (_, n) =>
      `  - { match: { host: h${n}.example.com, path: /app }, upstream: app, responseHeaders: { set: { X-Site: "${text} ${n}" } } }`,
  );
  return `workers: ${workers}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}" }]
admin: { bind: "127.0.0.1:${ports.admin}" }
routes:
${lines.join('\n')}
upstreams: { app: { endpoints: ["http://127.0.0.1:1"] } }
`;
}

/** Returns when all workers serve the new configuration. On a connection of its own: an idle one may close meanwhile. */
async function reload(adminUrl: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const request = http.request(`${adminUrl}/api/v1/reload`, { method: 'POST', headers, agent: false });
  request.end('{}');
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const text = (await response.setEncoding('utf8').toArray()).join('');
  if (response.statusCode !== 200) throw new Error(`reload: ${response.statusCode} ${text}`);
}
