// Checks the dashboard's layout on all screens, and saves a screenshot of each view in test/artifacts/dashboard/ as
// WIDTH-SCHEME-ENDPOINTS-VIEW.png. Exit code 1 if a text is cut off, or something overlaps or leaves its card. Requires
// Chromium (PEERS_BROWSER=1 scripts/install-peers.sh). Usage: node scripts/screenshots.ts [WIDTH,WIDTH] [ENDPOINTS,ENDPOINTS].
// Thread: main.

import { closeBrowser, openBrowser } from '../test/support/dashboard-page.ts';
import { DashboardScene } from '../test/support/dashboard-scene.ts';
import { walk } from '../test/support/dashboard-walk.ts';
import { findPeer } from '../test/support/peers.ts';

const numbers = (text: string): number[] => text.split(',').map(Number);
const widths = numbers(process.argv[2] ?? '360,768,1440,1920');
const counts = numbers(process.argv[3] ?? '3,300,1000');
const SCHEMES = ['light', 'dark'] as const;
/** Steps of ten seconds: half an hour of history. */
const HISTORY_STEPS = 180;

const chromium = findPeer('chromium');
if (chromium === undefined) throw new Error('Chromium not found: run PEERS_BROWSER=1 scripts/install-peers.sh');
const browser = await openBrowser(chromium);
let found = 0;
for (const endpoints of counts) {
  const scene = await DashboardScene.start({ endpoints, historySteps: HISTORY_STEPS });
  for (const width of widths) {
    for (const scheme of SCHEMES) {
      // The rules of axe-core and the banner do not depend on the number of rows.
      const isFirst = endpoints === counts[0];
      const faults = await walk(browser, scene, { width, scheme, endpoints }, { hasAxe: isFirst, hasStale: isFirst });
      found += faults.length;
      console.log(`${width} px, ${scheme}, ${endpoints} endpoints: ${faults.length} faults`);
      for (const fault of faults) console.log(`  ${fault}`);
    }
  }
  await scene.close();
}
await closeBrowser();
process.exitCode = found > 0 ? 1 : 0;
