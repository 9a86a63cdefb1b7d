// Start, reload and memory of a configuration with many routes (`npm run many-routes`): hosts differ, each with a path and a
// policy. Memory per route is the difference between this process and one with a single route. Options: --routes,
// --workers, --limit (ms; exit code 1 above it). Thread: main.

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
  const beganMs = performance.now();
  const fairlead = await FairleadProcess.start((ports) => configOf(count, ports, 'first'));
  try {
    const startMs = Math.round(performance.now() - beganMs);
    await fetch(`${fairlead.url}/`, { headers: { host: 'unused' } }).then((response) => response.arrayBuffer());
    const residentBytes = await fairlead.residentBytes();
    await fairlead.rewrite((ports) => configOf(count, ports, 'second'));
    const reloadMs = Math.round(await reload(fairlead.adminUrl));
    return { startMs, reloadMs, residentBytes };
  } finally {
    await fairlead.stop();
  }
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

/** Time in ms until all workers serve the new configuration. */
async function reload(adminUrl: string): Promise<number> {
  const beganMs = performance.now();
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const response = await fetch(`${adminUrl}/api/v1/reload`, init);
  if (!response.ok) throw new Error(`reload: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return performance.now() - beganMs;
}
