// A killed endpoint is detected by its idle connections, before any request fails. Both paths. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApps } from '../support/app-server.ts';
import { sendMany } from '../support/client.ts';
import { eventually, PATHS, startFairlead } from '../support/fairlead.ts';

for (const fastPath of PATHS) {
  test(`idle connections that close together make an endpoint suspect (fast path ${fastPath ? 'on' : 'off'})`, async (t) => {
    const apps = await startApps(t, 2);
    const fairlead = await startFairlead(
      t,
      `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}]
    health: { heartbeat: false }
    timeouts: { keepAlive: 60s }
`,
    );
    for (const app of apps) {
      app.handler = (request, response) => {
        request.resume();
        setTimeout(() => response.end(app.name), 20);
      };
    }
    await sendMany(fairlead.port, { connections: 8, requests: 40 });
    assert.ok(apps[0]!.openConnections > 1, 'there are idle connections');
    const before = apps[0]!.served + apps[1]!.served;
    await apps[0]!.kill();
    const isRecorded = (): boolean =>
      fairlead.plane.health.events
        .list()
        .some(({ endpoint, to }) => endpoint.endsWith(apps[0]!.address) && to === 'suspect');
    await eventually(isRecorded, 'it is suspect');
    assert.equal(apps[0]!.served + apps[1]!.served, before, 'no request was needed to detect it');
  });
}
