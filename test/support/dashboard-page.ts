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

/** Closes the browser that the pages of a test file share. */
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
}

/**
 * Opens a page of the admin server. Without Chromium it returns undefined and skips the test.
 * @param url of the admin server, without a path
 * @param fragment place in the page; that of the endpoints if left out
 */
export async function openDashboard(
  t: TestContext,
  url: string,
  { fragment = ENDPOINTS, ...options }: BrowserContextOptions & { readonly fragment?: string } = {},
): Promise<DashboardPage | undefined> {
  const executablePath = requirePeer(t, 'chromium');
  if (executablePath === undefined) return undefined;
  // Blocks all requests that leave this machine.
  const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
  browser ??= chromium.launch({ executablePath, args });
  const context = await (await browser).newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints = listenTo(page);
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) => {
      console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI);
    });`,
  );
  await page.goto(`${url}/${fragment}`);
  const photograph = async (name: string): Promise<void> => {
    mkdirSync(ARTIFACTS, { recursive: true });
    await page.screenshot({ path: path.join(ARTIFACTS, `${name}.png`) });
  };
  return { page, complaints, photograph };
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
