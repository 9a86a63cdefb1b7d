// Costs of an open dashboard, by Chromium's own counters: first paint, scripts, CPU time of the page while every endpoint
// changes each second, and the CPU time of the server for one status. Thread: main.

import type { Browser, CDPSession } from 'playwright-core';
import { liveStatus } from '../../admin/api/live-status.ts';
import { StatusView } from '../../admin/api/status-view.ts';
import { TrafficWindow } from '../../admin/metrics/traffic-window.ts';
import { openPage, untilLive } from '../../test/support/dashboard-page.ts';
import type { DashboardScene } from '../../test/support/dashboard-scene.ts';

const VIEWPORT = { width: 1440, height: 900 };
/** Loads of which the median counts. */
const LOADS = 3;
/** Statuses of which the median counts. */
const STATUSES = 20;

/** The first seconds compile scripts and draw everything. */
const WARM_UP_MS = 3_000;

/** Loading of the page, without a cache. */
export interface Loading {
  /** From the navigation to the first text, in ms. */
  readonly firstPaintMs: number;
  /** From the navigation to the first figures. */
  readonly firstFiguresMs: number;
  /** Of all scripts as they are sent, compressed. */
  readonly scriptBytes: number;
}

/** CPU time in percent of a core. */
export interface Running {
  readonly pageCpu: number;
  /** All processes of the browser: with painting, which is done in software where there is no GPU. */
  readonly browserCpu: number;
}

/** One status for all streams. */
export interface Sending {
  readonly cpuMs: number;
  readonly bytes: number;
}

/** Loads the page several times, each in a fresh profile, and returns the median. */
export async function measureLoading(browser: Browser, scene: DashboardScene): Promise<Loading> {
  const loads: Loading[] = [];
  for (let i = 0; i < LOADS; i++) loads.push(await loadOnce(browser, scene));
  return loads.toSorted((a, b) => a.firstPaintMs - b.firstPaintMs)[(LOADS - 1) / 2]!;
}

async function loadOnce(browser: Browser, scene: DashboardScene): Promise<Loading> {
  const dashboard = await openPage(browser, scene.url, { viewport: VIEWPORT, fragment: '' });
  await untilLive(dashboard);
  const text = await dashboard.page.evaluate<string>(`JSON.stringify({
    firstPaintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    firstFiguresMs: performance.now(),
    sizes: performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).map((one) => one.encodedBodySize),
  })`);
  await dashboard.close();
  const { sizes, ...times } = JSON.parse(text) as Omit<Loading, 'scriptBytes'> & { sizes: number[] };
  return { ...times, scriptBytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Shows a view for some seconds while each endpoint gets new figures every second. */
export async function measureRunning(
  browser: Browser,
  scene: DashboardScene,
  fragment: string,
  seconds: number,
): Promise<Running> {
  const dashboard = await openPage(browser, scene.url, { viewport: VIEWPORT, fragment });
  await untilLive(dashboard);
  scene.run();
  const { page } = dashboard;
  const session = await browser.newBrowserCDPSession();
  await page.waitForTimeout(WARM_UP_MS);
  const before = await readCpuTimes(session);
  const startedMs = performance.now();
  await page.waitForTimeout(seconds * 1_000);
  const after = await readCpuTimes(session);
  const tookS = (performance.now() - startedMs) / 1_000;
  scene.pause();
  await dashboard.close();
  return {
    pageCpu: (100 * (after.page - before.page)) / tookS,
    browserCpu: (100 * (after.all - before.all)) / tookS,
  };
}

/** Seconds of CPU time since the start of each process. */
async function readCpuTimes(session: CDPSession): Promise<Readonly<Record<'page' | 'all', number>>> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sum = (list: typeof processInfo): number => list.reduce((total, { cpuTime }) => total + cpuTime, 0);
  return { page: sum(processInfo.filter(({ type }) => type === 'renderer')), all: sum(processInfo) };
}

/** CPU time of the main thread for one status: built and encoded once for all streams. */
export function measureSending(scene: DashboardScene): Sending {
  const traffic = new TrafficWindow(scene.context);
  traffic.start();
  const view = new StatusView(scene.context, traffic);
  let bytes = 0;
  const times = Array.from({ length: STATUSES }, () => {
    scene.step();
    const before = process.cpuUsage();
    bytes = Buffer.byteLength(JSON.stringify(liveStatus(scene.context, traffic, view)));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  traffic.stop();
  return { cpuMs: times.toSorted((a, b) => a - b)[STATUSES / 2]!, bytes };
}
