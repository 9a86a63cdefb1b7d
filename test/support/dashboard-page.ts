// The dashboard in a real Chromium, with all errors that the browser reports. Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { patientMs } from './patience.ts';
import { requirePeer } from './peers.ts';

/** Saved by CI as artefacts; ignored by git. */
const ARTIFACTS = path.join(import.meta.dirname, '../artifacts');
const WAIT_MS = patientMs(15_000);
const ENDPOINTS = '#/endpoints';

let browser: Promise<Browser> | null = null;

/** The browser that all pages of this process share. It can reach this machine only. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  browser ??= chromium.launch({ executablePath, args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'] });
  return await browser;
}

/** Closes the browser that the pages share. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = null;
}

export interface DashboardPage {
  readonly page: Page;
  /** Script errors, console errors, and violations of the Content-Security-Policy. */
  readonly complaints: readonly string[];
  /** Saves a screenshot as test/artifacts/NAME.png. */
  photograph(name: string): Promise<void>;
  close(): Promise<void>;
}

/** `fragment` is the place in the page; that of the endpoints if left out. */
export type PageOptions = BrowserContextOptions & { readonly fragment?: string };

/**
 * Opens a page of the admin server for a test. Without Chromium it returns undefined and skips the test.
 * @param url of the admin server, without a path
 */
export async function openDashboard(
  t: TestContext,
  url: string,
  options: PageOptions = {},
): Promise<DashboardPage | undefined> {
  const executablePath = requirePeer(t, 'chromium');
  if (executablePath === undefined) return undefined;
  const dashboard = await openPage(await openBrowser(executablePath), url, options);
  t.after(() => dashboard.close());
  return dashboard;
}

/** Opens a page of the admin server. @param url of the admin server, without a path */
export async function openPage(
  from: Pick<Browser, 'newContext'>,
  url: string,
  { fragment = ENDPOINTS, ...options }: PageOptions = {},
): Promise<DashboardPage> {
  const context = await from.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints = listenTo(page);
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) => {
      console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI);
    });`,
  );
  // Not until it is loaded: what waits for its content has a limit of its own.
  await page.goto(`${url}/${fragment}`, { waitUntil: 'commit' });
  const photograph = async (name: string): Promise<void> => {
    mkdirSync(ARTIFACTS, { recursive: true });
    await page.screenshot({ path: path.join(ARTIFACTS, `${name}.png`) });
  };
  return { page, complaints, photograph, close: () => context.close() };
}

/** Waits until the page shows its first status. */
export async function untilLive({ page }: DashboardPage): Promise<void> {
  await page.locator('#connection', { hasText: 'live' }).waitFor();
}

/** The row of an endpoint. */
export function rowOf({ page }: DashboardPage, key: string) {
  return page.locator(`#endpoints .row[data-key="${key}"]`);
}

/** Fails if the browser reported any error. */
export function assertNoComplaints({ complaints }: DashboardPage): void {
  assert.deepEqual(complaints, []);
}

function listenTo(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.stack ?? error.message}`));
  return complaints;
}
