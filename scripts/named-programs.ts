// Programs that people use behind Fairlead, each behind policies (`npm run named-programs`): curl --compressed, EventSource in
// Chromium, socket.io, a Vite dev server with HMR, an upload of 2 GiB. Installs socket.io and Vite in a temporary folder,
// without install scripts. Options: --only NAME[,NAME]. Exit code 1 when one fails. Thread: main.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { startBehindPolicies } from './named-programs/behind-policies.ts';
import { curlCompressed, eventSource, startChromium, upload } from './named-programs/clients.ts';
import { startPlainApp } from './named-programs/plain-app.ts';
import { socketIo } from './named-programs/socket-io.ts';
import { viteWithHmr } from './named-programs/vite.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run named-programs -- [--only curl,eventsource,upload,socket.io,vite]
Runs programs that people use behind Fairlead and its policies. Ends with 1 where one fails.`;

const GIBIBYTE = 2 ** 30;
const CHROMIUM = '/usr/bin/chromium';
const PACKAGES = ['socket.io@4', 'socket.io-client@4', 'vite@8'];

const { values } = readArguments(USAGE, { only: { type: 'string' } });
const wanted = values.only?.split(',') ?? ['curl', 'eventsource', 'upload', 'socket.io', 'vite'];
const folder = mkdtempSync(join(tmpdir(), 'fairlead-programs-'));
let browser: Browser | null = null;
try {
  if (wanted.some((name) => ['eventsource', 'vite'].includes(name))) browser = await startChromium(CHROMIUM);
  await runPlain();
  if (wanted.some((name) => ['socket.io', 'vite'].includes(name))) install();
  await report('socket.io', () => socketIo(folder));
  await report('vite', () => viteWithHmr(folder, browser!));
} finally {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
}

async function runPlain(): Promise<void> {
  const app = await startPlainApp();
  const fairlead = await startBehindPolicies([app.port]);
  try {
    await report('curl', () => curlCompressed(fairlead.url));
    await report('eventsource', () => eventSource(browser!, fairlead.url));
    await report('upload', () => upload(fairlead.url, 2 * GIBIBYTE));
  } finally {
    await fairlead.stop();
    app.server.close();
    app.server.closeAllConnections();
  }
}

function install(): void {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', ...PACKAGES];
  execFileSync('npm', args, { cwd: folder, stdio: 'inherit' });
}

async function report(name: string, run: () => Promise<string>): Promise<void> {
  if (!wanted.includes(name)) return;
  try {
    console.log(`${name}: ${await run()}`);
  } catch (error) {
    console.error(`${name} failed:`, error);
    process.exitCode = 1;
  }
}
