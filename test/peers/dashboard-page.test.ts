// The dashboard in a real Chromium: sign-in, loss of the stream, four hundred endpoints, and names that contain HTML.
// Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test, type TestContext } from 'node:test';
import { AskedServer } from '../integration/admin/asked-server.ts';
import {
  assertNoComplaints,
  closeBrowser,
  type DashboardPage,
  openDashboard,
  rowOf,
  untilLive,
} from '../support/dashboard-page.ts';
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
  const dashboard = await openDashboard(t, fairlead.adminUrl);
  if (dashboard === undefined) return;
  const { page } = dashboard;
  await page.locator('#sign-in').waitFor();
  assert.ok(!(await page.locator('.columns').isVisible()));
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
  await page.locator('#actions-refused', { hasText: 'may look' }).waitFor();
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
  await page.locator('#sign-in-error', { hasText: 'not good any more' }).waitFor();
  await signIn(dashboard, READER);
  await page.locator('#who', { hasText: 'may only look' }).waitFor();
});

test('a page that has lost the stream shows since when, and reconnects to the next process', async (t) => {
  const first = await startFairlead(t, plain('bind: "127.0.0.1:0"'));
  const dashboard = await openDashboard(t, first.adminUrl);
  if (dashboard === undefined) return;
  const { page } = dashboard;
  await untilLive(dashboard);
  assert.ok(!(await page.locator('#stale').isVisible()));
  await first.plane.close();
  await page.locator('#stale', { hasText: /Stale since \d\d:\d\d:\d\d .*What you see is old/ }).waitFor();
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
  await page.locator('#stale', { hasText: 'nothing has come' }).waitFor();
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

/** One server for many endpoints: it listens on this many ports. */
async function startMany(t: TestContext, count: number): Promise<{ ports: number[]; stop: (at: number) => void }> {
  const servers = Array.from({ length: count }, () => createServer((_request, response) => response.end('fine')));
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = (at: number): void => {
    servers[at]!.close();
    servers[at]!.closeAllConnections();
  };
  t.after(() => servers.forEach((_server, at) => stop(at)));
  return { ports: servers.map((server) => (server.address() as AddressInfo).port), stop };
}

const crowded = (ports: readonly number[]): string => {
  const upstreams = Array.from({ length: 8 }, (_, index) => {
    const urls = ports.slice(index * 50, index * 50 + 50).map((port) => `"http://127.0.0.1:${port}"`);
    const health = 'heartbeat: { path: /, interval: 1s, timeout: 800ms }';
    return `  group-${index}: { endpoints: [${urls.join(', ')}], health: { ${health} } }`;
  });
  const routes = upstreams.map((_, index) => `{ match: { path: /${index} }, upstream: group-${index} }`);
  return `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [${routes.join(', ')}]
upstreams:
${upstreams.join('\n')}
admin: { bind: "127.0.0.1:0" }
`;
};

/** Counts what changes in the table of endpoints over some seconds. */
const WATCH = `new Promise((resolve) => {
  const counts = { characterData: 0, attributes: 0, childList: 0 };
  const observer = new MutationObserver((records) => { for (const { type } of records) counts[type]++; });
  observer.observe(document.querySelector('#endpoints tbody'), {
    characterData: true, attributes: true, childList: true, subtree: true,
  });
  setTimeout(() => { observer.disconnect(); resolve(JSON.stringify(counts)); }, 4000);
})`;

test('four hundred endpoints are shown, searched and sorted; each second changes few cells and moves no row', async (t) => {
  const many = await startMany(t, 400);
  const fairlead = await startFairlead(t, crowded(many.ports));
  const dashboard = await openDashboard(t, fairlead.adminUrl, { colorScheme: 'dark' });
  if (dashboard === undefined) return;
  const { page } = dashboard;
  await untilLive(dashboard);
  const rows = page.locator('#endpoints tbody tr');
  await page.waitForFunction('document.querySelectorAll(\'#endpoints tbody tr[data-state="up"]\').length === 400');
  let sent = 0;
  const send = (): void => {
    fetch(`${fairlead.url}/${sent++ % 8}`).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    );
  };
  const timer = setInterval(send, 20);
  t.after(() => clearInterval(timer));

  const profile = await page.context().newCDPSession(page);
  await profile.send('Performance.enable');
  const busySeconds = async (): Promise<number> => {
    const { metrics } = await profile.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const before = await busySeconds();
  const counts = JSON.parse(await page.evaluate(WATCH)) as Record<string, number>;
  t.diagnostic(
    `in 4 s: ${JSON.stringify(counts)}, ${Math.round(((await busySeconds()) - before) * 1000)} ms of its thread`,
  );
  // Of 4,400 cells: each row's age every second, and the figures of the few endpoints with traffic.
  assert.ok(counts['characterData']! < 4_000, JSON.stringify(counts));
  assert.equal(counts['childList'], 0);

  for (const at of [3, 120, 399]) many.stop(at);
  await page.locator('#health', { hasText: '3 of 400 need a look' }).waitFor();
  const first = await rows.evaluateAll((elements) => elements.slice(0, 3).map((one) => one.getAttribute('data-tone')));
  assert.deepEqual(first, ['bad', 'bad', 'bad']);
  await dashboard.photograph('dashboard-400-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await dashboard.photograph('dashboard-400-light');

  await page.locator('#state-filter').selectOption('problem');
  await page.locator('#shown', { hasText: '3 of 400' }).waitFor();
  await page.locator('#state-filter').selectOption('');
  await page.locator('#upstreams button', { hasText: 'group-7' }).click();
  await page.locator('#shown', { hasText: '50 of 400' }).waitFor();
  await page.locator('#all-upstreams').click();
  await page.locator('#search').fill(`:${many.ports[200]!}`);
  await page.locator('#shown', { hasText: '1 of 400' }).waitFor();
  await page.locator('#search').fill('');
  await page.locator('#endpoints thead button', { hasText: 'endpoint' }).click();
  await page.locator('th[aria-sort="ascending"]', { hasText: 'endpoint' }).waitFor();
  assert.match((await rows.first().getAttribute('data-key'))!, /^group-0\//);
  await rows.first().locator('button').focus();
  await page.keyboard.press('End');
  assert.match(await page.evaluate('document.activeElement.textContent'), /^group-7\//);
  assertNoComplaints(dashboard);
});
