// Prints the costs of an open dashboard as a table: loading, CPU time of the browser while every endpoint changes each
// second, and CPU time of the server for one status. Requires Chromium (PEERS_BROWSER=1 scripts/install-peers.sh).
// Usage: node scripts/dashboard-figures.ts [ENDPOINTS,ENDPOINTS] [SECONDS]. Thread: main.

import { availableParallelism, cpus, loadavg } from 'node:os';
import { closeBrowser, openBrowser } from '../test/support/dashboard-page.ts';
import { DashboardScene } from '../test/support/dashboard-scene.ts';
import { findPeer } from '../test/support/peers.ts';
import { measureLoading, measureRunning, measureSending } from './dashboard-figures/measure.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run dashboard-figures -- [ENDPOINTS,ENDPOINTS] [SECONDS]
Measures the cost of an open dashboard.`;
const { positionals } = readArguments(USAGE, {}, 2);

const counts = (positionals[0] ?? '3,300,1000').split(',').map(Number);
const seconds = Number(positionals[1] ?? 10);
/** Steps of ten seconds: half an hour of history. */
const HISTORY_STEPS = 180;
const VIEWS = ['overview', 'routes', 'endpoints', 'system'];

const chromium = findPeer('chromium');
if (chromium === undefined) throw new Error('Chromium not found: run PEERS_BROWSER=1 scripts/install-peers.sh');
const browser = await openBrowser(chromium);
const load = loadavg()[0]!.toFixed(1);
console.log(
  `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores, load ${load}; Chromium ${browser.version()}, Node ${process.version}; ` +
    `npm run dashboard-figures -- ${counts.join(',')} ${seconds}\n`,
);
const titles = counts.map((count) => `${count} endpoints`);
const rows = new Map<string, string[]>();
const put = (name: string, text: string): void => void rows.set(name, [...(rows.get(name) ?? []), text]);
for (const endpoints of counts) {
  const scene = await DashboardScene.start({ endpoints, historySteps: HISTORY_STEPS });
  const { cpuMs, bytes } = measureSending(scene);
  put('one status, main thread', `${cpuMs.toFixed(1)} ms CPU`);
  put('one status, size', `${Math.round(bytes / 1_000)} KB`);
  const { firstPaintMs, firstFiguresMs, scriptBytes } = await measureLoading(browser, scene);
  put('first paint', `${Math.round(firstPaintMs)} ms`);
  put('first figures', `${Math.round(firstFiguresMs)} ms`);
  put('scripts, compressed', `${(scriptBytes / 1_000).toFixed(1)} KB`);
  for (const view of VIEWS) {
    const { pageCpu, browserCpu } = await measureRunning(browser, scene, `#/${view}`, seconds);
    put(`CPU, ${view}`, `${pageCpu.toFixed(1)} % (${browserCpu.toFixed(1)} %)`);
  }
  await scene.close();
}
console.log(`| | ${titles.join(' | ')} |\n|---|${titles.map(() => '--:').join('|')}|`);
for (const [name, texts] of rows) console.log(`| ${name} | ${texts.join(' | ')} |`);
await closeBrowser();
