// The dashboard's layout in a real Chromium: no text is cut off, nothing overlaps or leaves its card, and axe-core finds
// nothing. `npm run screenshots` checks more screens. Thread: main.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { closeBrowser, openBrowser, openDashboard, untilLive } from '../support/dashboard-page.ts';
import { layoutFaults } from '../support/dashboard-layout.ts';
import { DashboardScene } from '../support/dashboard-scene.ts';
import { walk } from '../support/dashboard-walk.ts';
import { requirePeer } from '../support/peers.ts';
import { shortOrLong } from '../support/test-length.ts';

after(closeBrowser);

const SCREENS = [
  { width: 360, scheme: 'dark' },
  { width: 1440, scheme: 'light' },
] as const;

for (const endpoints of [3, 1_000]) {
  test(`every view of ${endpoints} endpoints shows its whole text, on a phone and on a desktop`, async (t) => {
    const chromium = requirePeer(t, 'chromium');
    if (chromium === undefined) return;
    const scene = await DashboardScene.start({ endpoints, historySteps: 20 });
    t.after(() => scene.close());
    // A desktop with a thousand endpoints has the rows of three; a phone stacks them.
    for (const screen of endpoints === 3 ? SCREENS : SCREENS.slice(0, shortOrLong(1, 2))) {
      // axe-core takes a second each time; neither more rows nor other colours (colours.test.ts) break more of its rules.
      const options = { hasAxe: endpoints === 3 && screen.width === 1440 };
      const faults = await walk(await openBrowser(chromium), scene, { ...screen, endpoints }, options);
      assert.deepEqual(faults, [], `${screen.width} px, ${screen.scheme}`);
    }
  });
}

/** Style rules, and the fault that each makes on a phone. */
const BROKEN = [
  ['.row > * { overflow: hidden; white-space: nowrap }', /^cut off: DIV/],
  ['#upstreams { height: 40px; overflow: hidden }', /^cut off below: DIV#upstreams/],
  ['#search { width: 60px }', /^cut off: INPUT#search/],
  ['.rows { width: 110% }', /^outside (?:its card|the page): /],
  ['.name { position: relative; left: 400px }', /^outside the page: /],
  ['.note { margin-top: -1rem }', /^overlap: /],
] as const;

test('each kind of fault in the layout is found', async (t) => {
  if (requirePeer(t, 'chromium') === undefined) return;
  const scene = await DashboardScene.start({ endpoints: 3, historySteps: 1 });
  t.after(() => scene.close());
  const dashboard = (await openDashboard(t, scene.url, { viewport: { width: 360, height: 900 } }))!;
  await untilLive(dashboard);
  for (const [rule, expected] of BROKEN) {
    await dashboard.page.evaluate(`{
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(${JSON.stringify(rule)});
      document.adoptedStyleSheets = [sheet];
    }`);
    const faults = await layoutFaults(dashboard.page);
    assert.ok(
      faults.some((fault) => expected.test(fault)),
      `${rule}: ${faults.join('; ')}`,
    );
  }
});
