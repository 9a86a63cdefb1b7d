// New data and late replies disturb no user of the dashboard: a reply for one endpoint closed the dialog that had been opened
// for another, and new ages in the list of problems took the focus from its buttons. Thread: main.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertNoComplaints, closeBrowser, openDashboard, rowOf, untilLive } from '../support/dashboard-page.ts';
import { DashboardScene } from '../support/dashboard-scene.ts';
import { requirePeer } from '../support/peers.ts';

after(closeBrowser);

test('a late reply leaves another dialog open, and new ages leave the focus', async (t) => {
  if (requirePeer(t, 'chromium') === undefined) return;
  const scene = await DashboardScene.start({ endpoints: 3, historySteps: 1 });
  t.after(() => scene.close());
  const dashboard = (await openDashboard(t, scene.url))!;
  const { page } = dashboard;
  await untilLive(dashboard);
  scene.run();

  const held = Promise.withResolvers<void>();
  await page.route(/\/endpoints\//, async (route) => {
    if (route.request().method() === 'PATCH') await held.promise;
    await route.continue();
  });
  const replied = page.waitForResponse((response) => response.request().method() === 'PATCH');
  await rowOf(dashboard, 'shop/10.20.0.1:3000').locator('button').click();
  await page.locator('#actions button', { hasText: 'Drain' }).click();
  const sent = page.waitForRequest((request) => request.method() === 'PATCH');
  await page.locator('#confirm-go').click();
  await sent;
  await page.locator('#confirm-cancel').click();
  await page.locator('#actions button', { hasText: 'Weight' }).click();
  held.resolve();
  await (await replied).finished();
  await rowOf(dashboard, 'shop/10.20.0.1:3000').and(page.locator('[data-state="drain"]')).waitFor();
  assert.ok(await page.locator('#confirm[open]').isVisible());
  await page.locator('#confirm-cancel').click();

  await page.locator('#nav-overview').click();
  const source = page.locator('#problems li', { hasText: 'Source consul' });
  const [age] = /confirmed .* ago/.exec(await source.innerText())!;
  await source.locator('button').focus();
  await source.filter({ hasNotText: age }).waitFor();
  assert.match(await page.evaluate('document.activeElement.ariaLabel'), /^Show: Source consul/);
  assertNoComplaints(dashboard);
});
