// Endpoints that die under load, on real sockets with real worker threads. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppServer, startApps } from '../support/app-server.ts';
import { sendMany } from '../support/client.ts';
import { eventually, startFairlead } from '../support/fairlead.ts';
import { resetSocket } from '../../net/reset-socket.ts';

const config = (apps: readonly AppServer[], more = ''): string => `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}]
    ${more}
`;
const HEARTBEAT = 'health: { heartbeat: { path: /healthz, interval: 200ms, fastInterval: 50ms, timeout: 100ms } }';

describe('an endpoint that is killed under load', () => {
  for (const balance of ['least-request', 'round-robin']) {
    test(`costs no GET (${balance}), gets no more requests, and is used again when it returns`, async (t) => {
      const apps = await startApps(t, 3);
      const fairlead = await startFairlead(t, config(apps, `balance: ${balance}\n    ${HEARTBEAT}`));
      const stop = new AbortController();
      const load = sendMany(fairlead.port, { connections: 16, signal: stop.signal });
      await eventually(() => apps.every((app) => app.served > 200), 'all app servers are in use');
      await apps[0]!.kill();
      const isDown = (): boolean => fairlead.plane.health.endpoints()[0]?.availability !== 'up';
      await eventually(isDown, 'the dead endpoint is noticed');
      const others = apps[1]!.served;
      await eventually(() => apps[1]!.served > others + 200, 'the others go on');
      const before = apps[0]!.served;
      await apps[0]!.start();
      await eventually(() => apps[0]!.served > before + 50, 'it is used again after it came back');
      stop.abort();
      const outcome = await load;
      assert.deepEqual([...outcome.errors], []);
      assert.deepEqual([...outcome.statuses.keys()], [200]);
    });
  }

  test('is ejected by its failures without heartbeats, and costs no GET', async (t) => {
    const apps = await startApps(t, 3);
    const fairlead = await startFairlead(t, config(apps));
    const stop = new AbortController();
    const load = sendMany(fairlead.port, { connections: 8, signal: stop.signal });
    await eventually(() => apps.every((app) => app.served > 100), 'all app servers are in use');
    await apps[0]!.kill();
    await eventually(() => fairlead.plane.health.endpoints()[0]?.availability === 'ejected', 'it is ejected');
    stop.abort();
    const outcome = await load;
    assert.deepEqual([...outcome.errors], []);
    assert.deepEqual([...outcome.statuses.keys()], [200]);
    const line = fairlead.log.find(({ text }) => text.includes(apps[0]!.address));
    assert.ok(line, 'the ejection is logged');
  });
});

describe('an endpoint that dies in the middle of a response', () => {
  test('never makes the response look complete: the client gets a reset', async (t) => {
    const apps = await startApps(t, 1);
    apps[0]!.handler = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setImmediate(() => resetSocket(response.socket!));
    };
    const fairlead = await startFairlead(t, config(apps));
    const outcome = await sendMany(fairlead.port, { connections: 1, requests: 3 });
    assert.equal(outcome.statuses.size, 0);
    assert.deepEqual([...outcome.errors], [['ECONNRESET', 3]]);
  });

  test('has the same effect for a chunked response', async (t) => {
    const apps = await startApps(t, 1);
    apps[0]!.handler = (_request, response) => {
      response.write('half');
      setImmediate(() => response.socket?.destroy());
    };
    const fairlead = await startFairlead(t, config(apps));
    const outcome = await sendMany(fairlead.port, { connections: 1, requests: 3 });
    assert.equal(outcome.statuses.size, 0);
    assert.deepEqual([...outcome.errors], [['ECONNRESET', 3]]);
  });
});

describe('no endpoint left', () => {
  test('causes 503 at once, until an endpoint is back', async (t) => {
    const apps = await startApps(t, 2);
    const fairlead = await startFairlead(t, config(apps, `whenAllDown: fail\n    ${HEARTBEAT}`));
    await Promise.all(apps.map((app) => app.kill()));
    const allDown = (): boolean =>
      fairlead.plane.health.endpoints().every(({ availability }) => availability === 'down');
    await eventually(allDown, 'both are down');
    const refused = await sendMany(fairlead.port, { connections: 1, requests: 5 });
    assert.deepEqual([...refused.statuses], [[503, 5]]);
    await apps[1]!.start();
    const isBack = async (): Promise<boolean> =>
      (await sendMany(fairlead.port, { connections: 1, requests: 1 })).statuses.has(200);
    await eventually(isBack, 'requests are served again');
  });
});
