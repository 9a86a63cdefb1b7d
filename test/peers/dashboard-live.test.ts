// The dashboard in a real Chromium, connected to a real Fairlead with traffic: the display of endpoints that die, and an
// operator's actions. Thread: main.

import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { type AppServer, startApps } from '../support/app-server.ts';
import {
  assertNoComplaints,
  closeBrowser,
  type DashboardPage,
  openDashboard,
  rowOf,
  untilLive,
} from '../support/dashboard-page.ts';
import { eventually, type RunningFairlead, startFairlead } from '../support/fairlead.ts';
import { patientMs } from '../support/patience.ts';

/** A killed endpoint must be shown as such within this time, on a quiet machine three seconds. */
const SHOWN_WITHIN_MS = patientMs(3_000);

after(closeBrowser);

const config = (apps: readonly AppServer[], more = ''): string => `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ match: { path: /shop }, upstream: shop }, { upstream: app }]
upstreams:
  app:
    balance: round-robin
    endpoints: [${apps.slice(0, 3).map(urlOf).join(', ')}]
    health: { heartbeat: { path: /healthz, interval: 500ms, timeout: 300ms } }
  shop:
    endpoints: [${apps.slice(3).map(urlOf).join(', ')}]
    health: { heartbeat: { path: /healthz, interval: 500ms, timeout: 300ms } }
admin: { bind: "127.0.0.1:0"${more} }
`;

const urlOf = (app: AppServer): string => `"http://${app.address}"`;

interface Scene {
  readonly apps: readonly AppServer[];
  readonly fairlead: RunningFairlead;
  readonly dashboard: DashboardPage;
}

/** Five application servers in two upstreams, a hundred requests a second, and the page; undefined without Chromium. */
async function setTheScene(t: TestContext): Promise<Scene | undefined> {
  const apps = await startApps(t, 5);
  const fairlead = await startFairlead(t, config(apps));
  const dashboard = await openDashboard(t, fairlead.adminUrl);
  if (dashboard === undefined) return undefined;
  sendTraffic(t, fairlead.url);
  await untilLive(dashboard);
  return { apps, fairlead, dashboard };
}

/** Sends requests until the test ends. Some fail while a test kills servers; their results are ignored. */
function sendTraffic(t: TestContext, url: string): void {
  let sent = 0;
  const timer = setInterval(() => {
    sent++;
    const target = sent % 3 === 0 ? `${url}/shop` : url;
    fetch(target).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    );
  }, 10);
  t.after(() => clearInterval(timer));
}

test('a killed endpoint is shown as down within three seconds, in the first row', async (t) => {
  const scene = await setTheScene(t);
  if (scene === undefined) return;
  const { apps, dashboard } = scene;
  const { page } = dashboard;
  const row = rowOf(dashboard, `app/${apps[1]!.address}`);
  await row.and(page.locator('[data-state="up"]')).waitFor();
  await page.locator('.spark canvas').first().waitFor();
  await dashboard.photograph('dashboard-light');
  const killedAt = performance.now();
  await apps[1]!.kill();
  // Ejected by live traffic or down by heartbeats, whichever is first: both are red, with the state in words.
  await row.and(page.locator('[data-tone="bad"]')).waitFor({ timeout: SHOWN_WITHIN_MS });
  t.diagnostic(`red ${Math.round(performance.now() - killedAt)} ms after the kill`);
  assert.match(await row.locator('.state').innerText(), /^[✕⊘]\s*(?:down|ejected)$/);
  assert.equal(
    await page.locator('#endpoints .chunk .row').first().getAttribute('data-key'),
    `app/${apps[1]!.address}`,
  );
  assert.match(await page.locator('#health').innerText(), /1 of 5 endpoints has problems/);
  await page.locator('#announcer', { hasText: /is (?:suspect|down|ejected)/ }).waitFor();
  await page.locator('#nav-timeline').click();
  await page.locator('#events li', { hasText: apps[1]!.address }).first().waitFor();
  await page.goBack();
  await row.locator('button').click();
  await page.locator('#details-why .reasons').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await dashboard.photograph('dashboard-dark-down');
  await apps[1]!.start();
  await row.and(page.locator('[data-state="up"]')).waitFor();
  assertNoComplaints(dashboard);
});

test('an endpoint is drained by keyboard alone, gets no more requests, and is made ready again', async (t) => {
  const scene = await setTheScene(t);
  if (scene === undefined) return;
  const { apps, dashboard } = scene;
  const { page } = dashboard;
  const key = `app/${apps[2]!.address}`;
  await rowOf(dashboard, key).waitFor();
  const { keyboard } = page;
  const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent');
  const press = async (name: string, until: RegExp, most = 40): Promise<void> => {
    for (let i = 0; i < most && !until.test(await focused()); i++) await keyboard.press(name);
    assert.match(await focused(), until);
  };
  await keyboard.press('/');
  await keyboard.type(String(apps[2]!.port));
  await page.locator('#shown', { hasText: '1 of 5' }).waitFor();
  await press('Tab', new RegExp(`^${key}$`));
  await keyboard.press('Enter');
  await page.locator('#details').waitFor();
  await press('Tab', /^Drain/);
  await keyboard.press('Enter');
  await page.locator('#confirm[open]').waitFor();
  assert.equal(await focused(), 'Cancel');
  assert.match(await page.locator('#confirm-text').innerText(), /2 other endpoints of app are up/);
  await dashboard.photograph('dashboard-confirm');
  await press('Tab', /^Drain$/);
  await keyboard.press('Enter');
  await page.locator('#confirm').waitFor({ state: 'hidden' });
  await rowOf(dashboard, key).and(page.locator('[data-state="drain"]')).waitFor();
  const [before, others] = [apps[2]!.served, apps[0]!.served];
  await eventually(() => apps[0]!.served > others + 20, 'the others are asked');
  // A request in transit when it was drained may still have arrived.
  assert.ok(apps[2]!.served - before <= 1, `${apps[2]!.served - before} requests came to what is drained`);
  await press('Tab', /^Ready$/, 80);
  await keyboard.press('Enter');
  await page.locator('#confirm[open]').waitFor();
  await press('Tab', /^Make ready$/);
  await keyboard.press('Enter');
  await rowOf(dashboard, key).and(page.locator('[data-state="up"]')).waitFor();
  assert.equal(await focused(), 'Ready');
  await eventually(() => apps[2]!.served > before + 1, 'it is asked again');
  await keyboard.press('Escape');
  await page.locator('#details').waitFor({ state: 'hidden' });
  assert.equal(await focused(), key);
  assertNoComplaints(dashboard);
});

test('the weight of an endpoint is changed, shown as an override, and restored', async (t) => {
  const scene = await setTheScene(t);
  if (scene === undefined) return;
  const { apps, dashboard } = scene;
  const { page } = dashboard;
  const row = rowOf(dashboard, `shop/${apps[3]!.address}`);
  await row.locator('button').click();
  await page.locator('#actions button', { hasText: 'Weight' }).click();
  await page.locator('#weight').fill('7');
  await page.locator('#confirm-go').click();
  await row.locator('.number', { hasText: '7* (1)' }).waitFor();
  const wide = page.viewportSize()!;
  await page.setViewportSize({ width: 480, height: 1000 });
  await page.locator('#details').waitFor();
  assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false);
  await dashboard.photograph('dashboard-narrow');
  await page.setViewportSize(wide);
  await page.locator('#actions button', { hasText: 'Weight' }).click();
  await page.locator('#weight-reset').click();
  await row.locator('.number', { hasText: /^1$/ }).first().waitFor();
  await row.locator('.number', { hasText: '7* (1)' }).waitFor({ state: 'detached' });
  assertNoComplaints(dashboard);
});

test('a change made by somebody else meanwhile is not overwritten silently', async (t) => {
  const scene = await setTheScene(t);
  if (scene === undefined) return;
  const { apps, fairlead, dashboard } = scene;
  const { page } = dashboard;
  const key = `app/${apps[0]!.address}`;
  const tag = page.waitForResponse((answer) => decodeURIComponent(answer.url()).endsWith(`/endpoints/${key}`));
  await rowOf(dashboard, key).locator('button').click();
  await page.locator('#actions button', { hasText: 'Maintenance' }).click();
  await (await tag).finished();
  await fetch(`${fairlead.adminUrl}/api/v1/endpoints/${key}/state`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"admin":"drain"}',
  });
  await page.locator('#confirm-go').click();
  await page.locator('#confirm-error', { hasText: 'Not done: the resource has changed' }).waitFor();
  await page.locator('#confirm-go').click();
  await rowOf(dashboard, key).and(page.locator('[data-state="maintenance"]')).waitFor();
});
