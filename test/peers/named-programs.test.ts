// Programs that people use behind Fairlead with policies: curl --compressed, EventSource in Chromium, an upload. The whole
// list, with socket.io, Vite and 2 GiB, is `npm run named-programs`. Thread: main.

import { after, before, describe, test } from 'node:test';
import type { FairleadProcess } from '../../scripts/peers/fairlead-process.ts';
import { startBehindPolicies } from '../../scripts/named-programs/behind-policies.ts';
import { curlCompressed, eventSource, startChromium, upload } from '../../scripts/named-programs/clients.ts';
import { startPlainApp } from '../../scripts/named-programs/plain-app.ts';
import { requirePeer } from '../support/peers.ts';

describe('behind policies', () => {
  let fairlead: FairleadProcess;
  let app: Awaited<ReturnType<typeof startPlainApp>>;

  before(async () => {
    app = await startPlainApp();
    fairlead = await startBehindPolicies([app.port]);
  });

  after(async () => {
    await fairlead.stop();
    app.server.close();
    app.server.closeAllConnections();
  });

  test('curl --compressed shows the document that the application sent', async (t) => {
    if (requirePeer(t, 'curl') === undefined) return;
    t.diagnostic(await curlCompressed(fairlead.url));
  });

  test('an EventSource in Chromium gets events as they are sent', async (t) => {
    const executablePath = requirePeer(t, 'chromium');
    if (executablePath === undefined) return;
    const browser = await startChromium(executablePath);
    t.after(() => browser.close());
    t.diagnostic(await eventSource(browser, fairlead.url));
  });

  test('an upload of 64 MiB arrives whole', async (t) => {
    t.diagnostic(await upload(fairlead.url, 64 * 2 ** 20));
  });
});
