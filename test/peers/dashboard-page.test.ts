// The dashboard in a real Chromium: sign-in, loss of the stream, four hundred endpoints, and names that contain HTML.
// Thread: main.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AskedServer } from '../integration/admin/asked-server.ts';
import {
  assertNoComplaints,
  closeBrowser,
  type DashboardPage,
  openDashboard,
  rowOf,
  untilLive,
} from '../support/dashboard-page.ts';
import { DashboardScene } from '../support/dashboard-scene.ts';
import { startFairlead } from '../support/fairlead.ts';
import { requirePeer } from '../support/peers.ts';

after(closeBrowser);

const READER = 'token-of-one-who-reads';
const WRITER = 'token-of-one-who-writes';
const TOKENS = `tokens: [{ name: eyes, token: ${READER}, role: read }, { name: hands, token: ${WRITER}, role: write }]`;

/** One upstream with one endpoint that needn't exist. @param admin further keys of `admin` */
const plain = (admin: string): string => `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://127.0.0.1:9"] } }
admin: { ${admin} }
`;
const ONLY = 'app/127.0.0.1:9';

async function signIn({ page }: DashboardPage, token: string): Promise<void> {
  await page.locator('#token').fill(token);
  await page.keyboard.press('Enter');
}

test('the page prompts for a required token, keeps it in the tab, and discards it on sign-out', async (t) => {
  const fairlead = await startFairlead(t, plain(`bind: "127.0.0.1:0", ${TOKENS}`));
  const dashboard = await openDashboard(t, fairlead.adminUrl, { fragment: '' });
  if (dashboard === undefined) return;
  const { page } = dashboard;
  await page.locator('#sign-in').waitFor();
  assert.ok(!(await page.locator('main').isVisible()));
  await dashboard.photograph('dashboard-sign-in');
  await signIn(dashboard, 'a-token-of-somebody-else');
  await page.locator('#sign-in-error', { hasText: 'This token is not known.' }).waitFor();
  await signIn(dashboard, WRITER);
  await untilLive(dashboard);
  await page.locator('#who', { hasText: 'token hands' }).waitFor();
  await page.reload();
  await untilLive(dashboard);
  const kept: string = await page.evaluate('JSON.stringify([localStorage.length, document.cookie, location.href])');
  assert.deepEqual(JSON.parse(kept), [0, '', `${fairlead.adminUrl}/dashboard/`]);
  await page.locator('#sign-out').click();
  await page.locator('#sign-in').waitFor();
  assert.equal(await page.evaluate('sessionStorage.length'), 0);
  assert.ok(!(await page.content()).includes('127.0.0.1:'), 'no data stays in the page');
  await page.reload();
  await page.locator('#sign-in').waitFor();
  // The browser logs each 401 in its console; nothing else may be logged.
  assert.deepEqual(
    dashboard.complaints.filter((text) => !text.includes('401 (Unauthorized)')),
    [],
  );
});

test('the role read is offered no changes', async (t) => {
  const fairlead = await startFairlead(t, plain(`bind: "127.0.0.1:0", ${TOKENS}`));
  const dashboard = await openDashboard(t, fairlead.adminUrl);
  if (dashboard === undefined) return;
  const { page } = dashboard;
  await signIn(dashboard, READER);
  await untilLive(dashboard);
  await rowOf(dashboard, ONLY).locator('button').click();
  await page.locator('#actions-refused', { hasText: 'Your role is read' }).waitFor();
  assert.ok(!(await page.locator('#actions').isVisible()));
});

test('a reload that removes a token signs out its users', async (t) => {
  const fairlead = await startFairlead(t, plain(`bind: "127.0.0.1:0", ${TOKENS}`));
  const dashboard = await openDashboard(t, fairlead.adminUrl);
  if (dashboard === undefined) return;
  const { page } = dashboard;
  await signIn(dashboard, WRITER);
  await untilLive(dashboard);
  fairlead.rewrite(plain(`bind: "127.0.0.1:0", tokens: [{ name: eyes, token: ${READER}, role: read }]`));
  await fairlead.plane.reload();
  await page.locator('#sign-in-error', { hasText: 'not valid any more' }).waitFor();
  await signIn(dashboard, READER);
  await page.locator('#who', { hasText: 'read only' }).waitFor();
});

test('a page that has lost the stream shows since when, and reconnects to the next process', async (t) => {
  const first = await startFairlead(t, plain('bind: "127.0.0.1:0"'));
  const dashboard = await openDashboard(t, first.adminUrl);
  if (dashboard === undefined) return;
  const { page } = dashboard;
  await untilLive(dashboard);
  assert.ok(!(await page.locator('#stale').isVisible()));
  await first.plane.close();
  await page.locator('#stale', { hasText: /Stale since \d\d:\d\d:\d\d .*All figures are old/ }).waitFor();
  await page.locator('#connection', { hasText: 'lost' }).waitFor();
  await dashboard.photograph('dashboard-stale');
  await startFairlead(t, plain(`bind: "127.0.0.1:${new URL(first.adminUrl).port}"`));
  await page.locator('#stale').waitFor({ state: 'hidden' });
  await untilLive(dashboard);
  // Refused connections are logged in the browser's console, and nothing else.
  assert.deepEqual(
    dashboard.complaints.filter((text) => !/net::ERR_/.test(text)),
    [],
  );
});

test('an open stream without events is stale too, and words of endpoints are shown as text', async (t) => {
  if (requirePeer(t, 'chromium') === undefined) return;
  // Its clock is stopped, so no second status is sent.
  const asked = await AskedServer.start();
  t.after(() => asked.server.close());
  const cause = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  asked.context.health.change(0, { availability: 'down', cause });
  const dashboard = (await openDashboard(t, `http://127.0.0.1:${asked.port}`))!;
  const { page } = dashboard;
  await untilLive(dashboard);
  const row = rowOf(dashboard, 'api/127.0.0.1:3000');
  assert.equal(await row.locator('.cause').innerText(), cause);
  await row.locator('button').click();
  await page.locator('#details-cause', { hasText: cause }).waitFor();
  assert.equal(await page.locator('img, body script').count(), 0);
  assert.equal(await page.title(), '(1) Fairlead');
  await page.locator('#stale', { hasText: 'no data arrives' }).waitFor();
  assertNoComplaints(dashboard);
});

test('the Content-Security-Policy blocks foreign scripts, inline scripts and scripts from strings', async (t) => {
  const fairlead = await startFairlead(t, plain('bind: "127.0.0.1:0"'));
  const dashboard = await openDashboard(t, fairlead.adminUrl);
  if (dashboard === undefined) return;
  const { page, complaints } = dashboard;
  await untilLive(dashboard);
  assertNoComplaints(dashboard);
  await page.evaluate(`{
    const script = document.createElement('script');
    try { script.textContent = 'document.title = "broken in"'; document.head.append(script); } catch {}
    try { document.body.insertAdjacentHTML('beforeend', '<b id=broken></b>'); } catch {}
    fetch('http://127.0.0.1:9/').catch(() => undefined);
  }`);
  await page.waitForFunction('document.title !== ""');
  assert.notEqual(await page.title(), 'broken in');
  assert.equal(await page.locator('#broken').count(), 0);
  assert.ok(complaints.some((text) => text.includes('policy: connect-src')));
  assert.ok(complaints.some((text) => text.includes('trusted-types')));
});

test('sources, providers, origins and the PROXY protocol are shown, with ages and errors', async (t) => {
  if (requirePeer(t, 'chromium') === undefined) return;
  const scene = await DashboardScene.start({ endpoints: 3, historySteps: 1 });
  t.after(() => scene.close());
  const dashboard = (await openDashboard(t, scene.url, { fragment: '#/system' }))!;
  const { page } = dashboard;
  const source = page.locator('#sources .row', { hasText: 'consul' });
  await source.locator('.note', { hasText: 'Last error: connect ECONNREFUSED 10.0.0.53:8500' }).waitFor();
  assert.match(await source.innerText(), /out of date\s+12\s+\d+.s ago/);
  const provider = page.locator('#providers .rows .row');
  await provider.locator('.note', { hasText: 'Refused: kubernetes secret shop/tls: tls.key does not' }).waitFor();
  assert.match(await provider.innerText(), /kubernetes.default.svc[^]*out of date\s+\d+.s ago\s+2\s+1\s+0\s+3\s+2\n/);
  await page.locator('#nav-overview').click();
  await page.locator('#problems li', { hasText: 'Provider kubernetes refuses 2 objects.' }).waitFor();
  await page.locator('#nav-routes').click();
  await page.locator('#route-map', { hasText: 'connections of others are closed' }).waitFor();
  await page.locator('#route-map', { hasText: 'defined by kubernetes ingress shop/everything-else' }).first().waitFor();
  await page
    .locator('#route-map button', { hasText: /^10\.20\.0\.1:3000$/ })
    .first()
    .click();
  await page.locator('#details-facts', { hasText: 'dns:checkout.shop.internal:8443' }).waitFor();
  assertNoComplaints(dashboard);
});

/** Counts what changes in the table of endpoints over some seconds. */
const WATCH = `new Promise((resolve) => {
  const counts = { characterData: 0, attributes: 0, childList: 0 };
  const observer = new MutationObserver((records) => { for (const { type } of records) counts[type]++; });
  observer.observe(document.querySelector('#endpoints .rows'), {
    characterData: true, attributes: true, childList: true, subtree: true,
  });
  setTimeout(() => { observer.disconnect(); resolve(JSON.stringify(counts)); }, 4000);
})`;

test('four hundred endpoints are shown, searched and sorted; each second changes few cells and moves no row', async (t) => {
  if (requirePeer(t, 'chromium') === undefined) return;
  const scene = await DashboardScene.start({ endpoints: 400, historySteps: 1 });
  t.after(() => scene.close());
  const dashboard = (await openDashboard(t, scene.url))!;
  const { page } = dashboard;
  await untilLive(dashboard);
  const rows = page.locator('#endpoints .chunk .row');
  await page.locator('#state-filter option', { hasText: 'up (393)' }).waitFor({ state: 'attached' });
  // Rows that are far away have no elements.
  assert.ok((await rows.count()) < 200, `${await rows.count()} rows`);
  await page.locator('#endpoints [data-column="name"]').click();
  await page.locator('[aria-sort="ascending"]', { hasText: 'endpoint' }).waitFor();
  scene.run();
  const counts = JSON.parse(await page.evaluate(WATCH)) as Record<string, number>;
  // Of more than 4,000 cells: the age and the figures of the rows nearby.
  assert.ok(counts['characterData']! > 0 && counts['characterData']! < 4_000, JSON.stringify(counts));
  assert.equal(counts['childList'], 0);

  await page.locator('#endpoints [data-column="state"]').click();
  await page.locator('#health', { hasText: '5 of 400 endpoints have problems, 2 set aside' }).waitFor();
  const first = await rows.evaluateAll((elements) => elements.slice(0, 4).map((one) => one.getAttribute('data-tone')));
  assert.deepEqual(first, ['bad', 'bad', 'bad', 'warn']);
  await page.locator('#state-filter').selectOption('problem');
  await page.locator('#shown', { hasText: '5 of 400' }).waitFor();
  await page.locator('#state-filter').selectOption('');
  await page.locator('#upstreams button', { hasText: 'api' }).click();
  await page.locator('#shown', { hasText: '100 of 400' }).waitFor();
  await page.locator('#all-upstreams').click();
  await page.locator('#search').fill('10.20.0.4:');
  await page.locator('#shown', { hasText: '1 of 400' }).waitFor();
  assert.match(page.url(), /#\/endpoints\?find=10\.20\.0\.4%3A$/);
  await page.locator('#search').fill('');
  await rows.first().locator('button').focus();
  await page.keyboard.press('End');
  assert.match(await page.evaluate('document.activeElement.closest(".row").dataset.key'), /^shop\//);
  await page.locator('#group').check();
  await page.locator('#endpoints .group', { hasText: '1 down, 1 suspect, 98 up' }).waitFor();
  assertNoComplaints(dashboard);
});
