// Checks the dashboard's layout on all screens, and saves a screenshot of each view in test/artifacts/dashboard/ as
// WIDTH-SCHEME-ENDPOINTS-VIEW.png. One browser, and one page for each number of endpoints, serve all screens. Exit code 1 if a
// text is cut off, or something overlaps or leaves its card; the faults of all screens are listed at the end. Requires
// Chromium (PEERS_BROWSER=1 scripts/install-peers.sh). Usage: node scripts/screenshots.ts [WIDTH,WIDTH] [ENDPOINTS,ENDPOINTS].
// Thread: main.

import { closeBrowser, openBrowser, openPage } from '../test/support/dashboard-page.ts';
import { DashboardScene } from '../test/support/dashboard-scene.ts';
import { rewalk } from '../test/support/dashboard-walk.ts';
import { findPeer } from '../test/support/peers.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run screenshots -- [WIDTH,WIDTH] [ENDPOINTS,ENDPOINTS]
Checks the layout of the dashboard on screens, and saves a screenshot of each view. Ends with 1 where something is cut off or overlaps.`;
const { positionals } = readArguments(USAGE, {}, 2);

const numbers = (text: string): number[] => text.split(',').map(Number);
const widths = numbers(positionals[0] ?? '360,768,1440,1920');
const counts = numbers(positionals[1] ?? '3,300,1000');
const SCHEMES = ['light', 'dark'] as const;
const SCREENS = widths.flatMap((width) => SCHEMES.map((scheme) => ({ width, scheme })));
/** Steps of ten seconds: half an hour of history. */
const HISTORY_STEPS = 180;
/** A machine with other work may take long to draw. */
const WAIT_MS = 60_000;

const chromium = findPeer('chromium');
if (chromium === undefined) throw new Error('Chromium not found: run PEERS_BROWSER=1 scripts/install-peers.sh');
const browser = await openBrowser(chromium);
const begun = performance.now();
const found: string[] = [];
for (const endpoints of counts) {
  const scene = await DashboardScene.start({ endpoints, historySteps: HISTORY_STEPS });
  const dashboard = await openPage(browser, scene.url, { fragment: '' });
  dashboard.page.setDefaultTimeout(WAIT_MS);
  // The rules of axe-core depend neither on the number of rows nor on the width, and the banner on neither.
  const isFirst = endpoints === counts[0];
  for (const { width, scheme } of SCREENS) {
    const hasAxe = isFirst && width === widths[0];
    const name = `${width} px, ${scheme}, ${endpoints} endpoints`;
    const sinceMs = performance.now();
    const walk = rewalk(dashboard, scene, { width, scheme, endpoints }, { hasAxe, hasStale: isFirst });
    // The other screens are worth a look, too.
    const faults = await walk.catch((error: Error) => [`the walk ended: ${error.message.split('\n')[0]!}`]);
    console.log(`${name}: ${faults.length} faults, ${secondsSince(sinceMs)} s`);
    found.push(...faults.map((fault) => `${name}: ${fault}`));
  }
  await dashboard.close();
  await scene.close();
}
await closeBrowser();
for (const fault of found) console.log(fault);
console.log(`${counts.length * SCREENS.length} screens, ${found.length} faults, ${secondsSince(begun)} s`);
process.exitCode = found.length > 0 ? 1 : 0;

function secondsSince(ms: number): string {
  return ((performance.now() - ms) / 1000).toFixed(0);
}
