// Writes docs/images/dashboard.png: upstreams and endpoints in the scene of the dashboard's tests, whose traffic is the same
// in each run. Requires Chromium (PEERS_BROWSER=1 scripts/install-peers.sh).
// Usage: node scripts/dashboard-picture.ts. Thread: main.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { closeBrowser, openBrowser, openPage, untilLive } from '../test/support/dashboard-page.ts';
import { DashboardScene } from '../test/support/dashboard-scene.ts';
import { findPeer } from '../test/support/peers.ts';

const FILE = path.resolve(import.meta.dirname, '../docs/images/dashboard.png');
const VIEWPORT = { width: 1280, height: 640 };
const ENDPOINTS = 40;
/** Steps of ten seconds: a whole hour. */
const HISTORY_STEPS = 360;

const chromium = findPeer('chromium');
if (chromium === undefined) throw new Error('Chromium not found: run PEERS_BROWSER=1 scripts/install-peers.sh');
const scene = await DashboardScene.start({ endpoints: ENDPOINTS, historySteps: HISTORY_STEPS });
const dashboard = await openPage(await openBrowser(chromium), scene.url, { viewport: VIEWPORT, colorScheme: 'light' });
await untilLive(dashboard);
scene.run();
await dashboard.page.locator('#upstreams .spark canvas').first().waitFor();
mkdirSync(path.dirname(FILE), { recursive: true });
await dashboard.page.screenshot({ path: FILE });
await dashboard.close();
await scene.close();
await closeBrowser();
console.log(`wrote ${path.relative(process.cwd(), FILE)}`);
