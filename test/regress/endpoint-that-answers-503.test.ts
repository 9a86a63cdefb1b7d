// An endpoint that answers 503 beside healthy ones, with the defaults: clients whose requests can be repeated don't see it,
// and no request is sent to an endpoint twice. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { type AppServer, startApps } from '../support/app-server.ts';
import { PATHS } from '../support/fairlead.ts';
import { shareFairlead } from '../support/shared-fairlead.ts';

async function bench(t: TestContext, fastPath: boolean, refusing: number, retry = ''): Promise<[string, AppServer[]]> {
  const apps = await startApps(t, 3);
  for (const app of apps.slice(0, refusing)) {
    app.handler = (_request, response) => response.writeHead(503, { 'x-app': app.name }).end('not now');
  }
  const fairlead = await shareFairlead(
    `fastPath: ${fastPath}`,
    `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}]
    balance: round-robin
    health: { passive: { consecutiveFailures: 0 } }
    ${retry}
`,
  );
  return [`http://127.0.0.1:${fairlead.port}/`, apps];
}

async function statusesOf(url: string, count: number, init: RequestInit): Promise<number[]> {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const response = await fetch(url, init);
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

for (const fastPath of PATHS) {
  describe(`an endpoint that answers 503, fastPath: ${fastPath}`, () => {
    test('costs no request that can be repeated', async (t) => {
      const [url, apps] = await bench(t, fastPath, 1);
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const statuses = await statusesOf(url, 9, { method, body: method === 'PUT' ? 'kept for a retry' : null });
        assert.deepEqual(new Set(statuses), new Set([200]), method);
      }
      assert.ok(apps[0]!.served > 0);
    });

    test('is reported to a client whose POST must not be repeated', async (t) => {
      const [url, apps] = await bench(t, fastPath, 1);
      const statuses = await statusesOf(url, 9, { method: 'POST', body: 'an order' });
      assert.equal(statuses.filter((status) => status === 503).length, apps[0]!.served);
      assert.equal(
        apps.reduce((sum, app) => sum + app.served, 0),
        9,
      );
    });

    test('is reported if every endpoint answers so, after two retries', async (t) => {
      const [url, apps] = await bench(t, fastPath, 3);
      const response = await fetch(url);
      assert.deepEqual([response.status, await response.text()], [503, 'not now']);
      assert.ok(response.headers.has('x-app'));
      assert.equal(
        apps.reduce((sum, app) => sum + app.served, 0),
        3,
      );
    });

    test('is reported where `retry.on` names no status', async (t) => {
      const [url] = await bench(t, fastPath, 1, 'retry: { on: [connect-failure, reset, timeout] }');
      assert.ok((await statusesOf(url, 9, {})).includes(503));
    });
  });
}
