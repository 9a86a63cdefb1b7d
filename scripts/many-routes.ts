// Start, reload and memory of a configuration with many routes (`npm run many-routes`): hosts differ, each with a path and a
// policy. Times are CPU time of the main thread and of the slowest worker together: the elapsed time on an idle machine.
// Memory per route is the difference to a process with one route. Options: --routes, --workers, --limit (ms; exit code 1
// above it). Thread: main.

import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FairleadProcess } from './peers/fairlead-process.ts';

const { values } = parseArgs({
  options: {
    routes: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '2' },
    limit: { type: 'string', default: '2000' },
  },
});
const routes = Number(values.routes);
const workers = Number(values.workers);
const limitMs = Number(values.limit);

const one = await measure(1);
const many = await measure(routes);
const bytes = (many.residentBytes - one.residentBytes) / routes;
console.log(`start: ${one.startMs} ms with one route, ${many.startMs} ms with ${routes}`);
console.log(`reload of ${routes} routes: ${many.reloadMs} ms`);
console.log(`memory: ${(bytes / 1024).toFixed(1)} KiB a route with ${workers} workers`);
process.exitCode = Math.max(many.startMs, many.reloadMs) > limitMs ? 1 : 0;

interface Figures {
  readonly startMs: number;
  readonly reloadMs: number;
  readonly residentBytes: number;
}

async function measure(count: number): Promise<Figures> {
  const fairlead = await FairleadProcess.start((ports) => configOf(count, ports, 'first'));
  try {
    const pid = fairlead.child.pid!;
    const started = cpuMs(pid);
    const residentBytes = await fairlead.residentBytes();
    await fairlead.rewrite((ports) => configOf(count, ports, 'second'));
    await reload(fairlead.adminUrl);
    return {
      startMs: slowestPath(pid, started, new Map()),
      reloadMs: slowestPath(pid, cpuMs(pid), started),
      residentBytes,
    };
  } finally {
    await fairlead.stop();
  }
}

/** CPU time in ms of each thread of a process. */
function cpuMs(pid: number): ReadonlyMap<number, number> {
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

/** Returns when all workers serve the new configuration. */
async function reload(adminUrl: string): Promise<void> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const response = await fetch(`${adminUrl}/api/v1/reload`, init);
  if (!response.ok) throw new Error(`reload: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}
