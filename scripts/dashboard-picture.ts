// Writes docs/images/dashboard.png: the dashboard of a Fairlead under load, one of whose three app servers is down. Needs
// Chromium (PEERS_BROWSER=1 scripts/install-peers.sh).
// Usage: node scripts/dashboard-picture.ts [CHROMIUM]. Thread: main.

import { mkdirSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { createFairlead } from '../index.ts';

const FILE = path.resolve(import.meta.dirname, '../docs/images/dashboard.png');
/** Where Debian installs it. */
const CHROMIUM = '/usr/bin/chromium';
const VIEWPORT = { width: 1680, height: 640 };
/** Load before the picture, so that the charts show something. */
const LOAD_MS = 20_000;

async function startApp(port: number): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    request.resume();
    setTimeout(() => response.end('hello\n'), 2 + Math.random() * 20);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

async function main(): Promise<void> {
  const executablePath = process.argv[2] ?? CHROMIUM;
  const apps = await Promise.all([startApp(0), startApp(0), startApp(0)]);
  const endpoints = apps.map((app) => `http://127.0.0.1:${(app.address() as AddressInfo).port}`);
  await using balancer = await createFairlead({
    log: 'none',
    yaml: `listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ upstream: shop }]
upstreams: { shop: { endpoints: ${JSON.stringify(endpoints)}, health: { heartbeat: { interval: 500ms } } } }
admin: { bind: 127.0.0.1:0 }`,
  });
  const ending = new AbortController();
  const load = Array.from({ length: 8 }, () => sendUntil(ending.signal, balancer.listeners[0]!.port));
  const down = sleep(LOAD_MS / 2).then(() => {
    apps[2]!.closeAllConnections();
    apps[2]!.close();
  });
  const browser = await chromium.launch({ executablePath });
  const page = await browser.newPage({ viewport: VIEWPORT });
  await page.goto(`http://${balancer.admin}/`);
  await sleep(LOAD_MS);
  await down;
  mkdirSync(path.dirname(FILE), { recursive: true });
  await page.screenshot({ path: FILE });
  await browser.close();
  ending.abort();
  await Promise.allSettled(load);
  for (const app of apps) app.close();
  console.log(`wrote ${path.relative(process.cwd(), FILE)}`);
}

async function sendUntil(signal: AbortSignal, port: number): Promise<void> {
  while (!signal.aborted) {
    await (await fetch(`http://127.0.0.1:${port}/`, { signal })).text();
    await sleep(20);
  }
}

await main();
