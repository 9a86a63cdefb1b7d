// A walk through every view of the dashboard, with the layout checked and a screenshot taken at each stop. Thread: main.

import type { Browser } from 'playwright-core';
import { VIEWS } from '../../admin/dashboard/data/place.ts';
import { axeViolations, layoutFaults } from './dashboard-layout.ts';
import { type DashboardPage, openPage, untilLive } from './dashboard-page.ts';
import type { DashboardScene } from './dashboard-scene.ts';

/** A screen and a scene. */
export interface WalkParts {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
  readonly endpoints: number;
}

/** Checks that take seconds. */
export interface WalkOptions {
  /** Whether the rules of axe-core are checked too. */
  readonly hasAxe?: boolean;
  /** Whether the data becomes stale at the end. */
  readonly hasStale?: boolean;
}

/** The server cuts the stream of a page that reads too slowly, as on a busy machine; the page connects again. */
const STREAM_CUT = 'ERR_INCOMPLETE_CHUNKED_ENCODING';

/** Height of the screen; a phone is higher than wide. */
const HEIGHT = 900;

/** Places beyond the views themselves, each opened from the view before it. */
const MORE: Readonly<Partial<Record<(typeof VIEWS)[number], readonly Stop[]>>> = {
  routes: [{ name: 'explain', isNew: true, open: explain }],
  endpoints: [
    { name: 'columns', isNew: false, open: openColumns },
    { name: 'groups', isNew: false, open: group },
    { name: 'details', isNew: true, open: openDetails },
    { name: 'confirm', isNew: true, open: openConfirmation, close: closeConfirmation },
  ],
};

interface Stop {
  readonly name: string;
  /** Whether it shows elements that its view does not have: only these are worth another run of axe-core. */
  readonly isNew: boolean;
  readonly open: (dashboard: DashboardPage) => Promise<void>;
  readonly close?: (dashboard: DashboardPage) => Promise<void>;
}

/**
 * Walks through all views of a scene on one screen and saves a screenshot of each. Returns one line for each fault of the
 * layout, violation of a rule of axe-core, and complaint of the browser.
 */
export async function walk(
  browser: Browser,
  scene: DashboardScene,
  { width, scheme, endpoints }: WalkParts,
  { hasAxe = false, hasStale = false }: WalkOptions = {},
): Promise<string[]> {
  const viewport = { width, height: HEIGHT };
  const dashboard = await openPage(browser, scene.url, { viewport, colorScheme: scheme, fragment: '' });
  try {
    return await walkPage(dashboard, scene, { width, scheme, endpoints }, { hasAxe, hasStale });
  } finally {
    await dashboard.close();
  }
}

/** As walk, in an open page: it takes the screen's size and colours, and is loaded again. */
export async function rewalk(
  dashboard: DashboardPage,
  scene: DashboardScene,
  parts: WalkParts,
  options: WalkOptions,
): Promise<string[]> {
  const { page, complaints } = dashboard;
  const known = complaints.length;
  await page.setViewportSize({ width: parts.width, height: HEIGHT });
  await page.emulateMedia({ colorScheme: parts.scheme });
  await page.goto(`${scene.url}/`, { waitUntil: 'commit' });
  return (await walkPage(dashboard, scene, parts, options)).filter(
    (fault) => !complaints.slice(0, known).includes(fault),
  );
}

async function walkPage(
  dashboard: DashboardPage,
  scene: DashboardScene,
  { width, scheme, endpoints }: WalkParts,
  { hasAxe = false, hasStale = false }: WalkOptions,
): Promise<string[]> {
  scene.run();
  const faults: string[] = [];
  const check = async (name: string, isNew = true): Promise<void> => {
    await settle(dashboard);
    const axe = hasAxe && isNew ? ((await axeViolations(dashboard.page)) ?? []) : [];
    for (const fault of [...(await layoutFaults(dashboard.page)), ...axe]) faults.push(`${name}: ${fault}`);
    await dashboard.photograph(`dashboard/${width}-${scheme}-${endpoints}-${name}`);
  };
  await untilLive(dashboard);
  for (const view of VIEWS) {
    await dashboard.page.locator(`#nav-${view}`).click();
    await dashboard.page.locator(`#view-${view}`).waitFor();
    await check(view);
    for (const { name, open, close, isNew } of MORE[view] ?? []) {
      await open(dashboard);
      await check(`${view}-${name}`, isNew);
      await close?.(dashboard);
    }
  }
  if (hasStale) {
    scene.pause();
    await dashboard.page.locator('#stale').waitFor();
    await check('stale');
  }
  return [...faults, ...dashboard.complaints.filter((complaint) => !complaint.includes(STREAM_CUT))];
}

/** Two frames: the page draws in the first, and what it observes is drawn in the second. */
async function settle({ page }: DashboardPage): Promise<void> {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
}

async function explain({ page }: DashboardPage): Promise<void> {
  await page.locator('#explain-url').fill('https://www.example.com/shop/cart?item=4711');
  await page.locator('#explain button').click();
  await page.locator('#explain-answer details').first().waitFor();
  await page.evaluate("for (const one of document.querySelectorAll('#explain-answer details')) one.open = true");
}

async function openColumns({ page }: DashboardPage): Promise<void> {
  await page.locator('.menu summary').click();
  for (const box of await page.locator('#columns input').all()) await box.check();
}

async function group({ page }: DashboardPage): Promise<void> {
  await page.locator('.menu summary').click();
  await page.locator('#group').check();
  await page.locator('#endpoints .group').first().waitFor();
}

async function openDetails({ page }: DashboardPage): Promise<void> {
  await page.locator('#group').uncheck();
  await page.locator('#endpoints .chunk .row button').first().click();
  await page.locator('#details-why section').first().waitFor();
}

async function openConfirmation({ page }: DashboardPage): Promise<void> {
  await page.locator('#actions button', { hasText: 'Weight' }).click();
  await page.locator('#confirm[open]').waitFor();
}

async function closeConfirmation({ page }: DashboardPage): Promise<void> {
  await page.locator('#confirm-cancel').click();
}
