// The dashboard's layout in a real Chromium: no text is cut off, no elements overlap, and axe-core finds nothing, on a
// phone and on a desktop. Thread: main.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axeViolations, layoutFaults } from '../support/dashboard-layout.ts';
import { assertNoComplaints, closeBrowser, openDashboard, untilLive } from '../support/dashboard-page.ts';
import { DashboardScene } from '../support/dashboard-scene.ts';

const VIEWS = ['overview', 'routes', 'endpoints', 'timeline', 'configuration', 'certificates', 'system'];
const SCREENS = [
  { width: 360, scheme: 'dark' },
  { width: 1440, scheme: 'light' },
] as const;
let scene: DashboardScene;

before(async () => {
  scene = await DashboardScene.start({ endpoints: 300, historySteps: 20 });
});
after(async () => {
  await scene.close();
  await closeBrowser();
});

for (const { width, scheme } of SCREENS) {
  test(`at ${width} px in ${scheme} colours, every view shows its whole text and passes axe-core`, async (t) => {
    const viewport = { width, height: 900 };
    const dashboard = await openDashboard(t, scene.url, { viewport, colorScheme: scheme, fragment: '' });
    if (dashboard === undefined) return;
    const { page } = dashboard;
    await untilLive(dashboard);
    const faults: string[] = [];
    for (const view of VIEWS) {
      await page.locator(`#nav-${view}`).click();
      await page.locator(`#view-${view}`).waitFor();
      if (view === 'endpoints') {
        await page.locator('#endpoints .chunk .row button').first().click();
        await page.locator('#details-why section').first().waitFor();
      }
      await page.waitForFunction(
        'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))',
      );
      const violations = await axeViolations(page);
      if (violations === undefined) t.diagnostic('axe-core is not installed: npm ci');
      for (const fault of [...(await layoutFaults(page)), ...(violations ?? [])]) faults.push(`${view}: ${fault}`);
    }
    assert.deepEqual(faults, []);
    await dashboard.photograph(`dashboard-${width}-${scheme}`);
    assertNoComplaints(dashboard);
  });
}
