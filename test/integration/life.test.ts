// Lifecycle of a process: drains, worker deaths, reloads, ports in use. Real worker threads. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { BindError } from '../../control/supervisor/bind-error.ts';
import { type AppServer, startApps } from '../support/app-server.ts';
import { sendMany } from '../support/client.ts';
import { eventually, startFairlead } from '../support/fairlead.ts';

const config = (apps: readonly AppServer[], port = 0): string => `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:${port}" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}]
admin: { bind: "127.0.0.1:0" }
`;

const slowly = (app: AppServer, delayMs: number): void => {
  app.handler = (request, response) => {
    request.resume();
    setTimeout(() => response.end(app.name), delayMs);
  };
};

describe('draining', () => {
  test('finishes requests in flight, turns /readyz to 503, and ends without a failed request', async (t) => {
    const apps = await startApps(t, 2);
    for (const app of apps) slowly(app, 100);
    const fairlead = await startFairlead(t, config(apps));
    const load = sendMany(fairlead.port, { connections: 10, requests: 10 });
    await eventually(() => apps[0]!.served + apps[1]!.served === 10, 'all are in flight');
    const drained = fairlead.plane.drain(5_000);
    const ready = await fetch(`${fairlead.adminUrl}/readyz`);
    assert.equal(ready.status, 503);
    const outcome = await load;
    assert.deepEqual([...outcome.errors], []);
    assert.deepEqual([...outcome.statuses], [[200, 10]]);
    await drained;
    const after = await sendMany(fairlead.port, { connections: 1, requests: 1 });
    assert.deepEqual([...after.errors.keys()], ['ECONNREFUSED']);
  });

  test('continues to serve for the configured delay while /readyz is 503, and skips the rest if it must end at once', async (t) => {
    const apps = await startApps(t, 1);
    const fairlead = await startFairlead(t, `${config(apps)}shutdown: { delay: 1h }\n`);
    const drained = fairlead.plane.drain();
    assert.equal((await fetch(`${fairlead.adminUrl}/readyz`)).status, 503);
    const outcome = await sendMany(fairlead.port, { connections: 4, requests: 20 });
    assert.deepEqual([[...outcome.statuses], [...outcome.errors]], [[[200, 20]], []]);
    assert.ok(fairlead.log.some(({ text }) => /stops accepting in [\d.]+ s/.test(text)));
    await fairlead.plane.close();
    await drained;
    const after = await sendMany(fairlead.port, { connections: 1, requests: 1 });
    assert.deepEqual([...after.errors.keys()], ['ECONNREFUSED']);
  });

  test('stops accepting after the configured delay', async (t) => {
    const apps = await startApps(t, 1);
    const fairlead = await startFairlead(t, `${config(apps)}shutdown: { delay: 100ms }\n`);
    await fairlead.plane.drain();
    const after = await sendMany(fairlead.port, { connections: 1, requests: 1 });
    assert.deepEqual([...after.errors.keys()], ['ECONNREFUSED']);
  });

  test('cuts remaining exchanges at the deadline', async (t) => {
    const apps = await startApps(t, 1);
    apps[0]!.handler = (request) => request.resume();
    const fairlead = await startFairlead(t, config(apps));
    const load = sendMany(fairlead.port, { connections: 1, requests: 1 });
    await eventually(() => apps[0]!.served === 1, 'it is in flight');
    await fairlead.plane.drain(100);
    const outcome = await load;
    assert.deepEqual([...outcome.statuses.keys()], []);
    await eventually(() => apps[0]!.openConnections === 0, 'the endpoint connection is closed');
  });
});

describe('a worker that dies', () => {
  test('is restarted; its in-flight counts are repaired, and the other workers continue', async (t) => {
    const apps = await startApps(t, 1);
    apps[0]!.handler = (request) => request.resume();
    const fairlead = await startFairlead(t, config(apps));
    const stuck = sendMany(fairlead.port, { connections: 20, requests: 20 });
    await eventually(() => apps[0]!.served === 20, 'all hang at the endpoint');
    const inflight = (): number => fairlead.plane.region.words[fairlead.plane.region.endpointWord(0)]!;
    assert.equal(inflight(), 20);
    await fairlead.plane.supervisor.killWorker(0);
    await fairlead.plane.supervisor.killWorker(1);
    await stuck;
    assert.equal(inflight(), 0);
    apps[0]!.handler = null;
    const states = (): string[] => fairlead.plane.supervisor.status().map(({ state }) => state);
    await eventually(() => states().every((state) => state === 'listening'), 'both are back');
    const outcome = await sendMany(fairlead.port, { connections: 8, requests: 100 });
    assert.deepEqual([...outcome.statuses], [[200, 100]]);
    assert.deepEqual(
      fairlead.plane.supervisor.status().map(({ restarts }) => restarts),
      [1, 1],
    );
  });
});

describe('a port in use', () => {
  test('is reported with listener and address, and nothing is left running', async (t) => {
    const apps = await startApps(t, 1);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const { port } = taken.address() as { port: number };
    await assert.rejects(startFairlead(t, config(apps, port)), (error: unknown) => {
      assert.ok(error instanceof BindError);
      assert.match(error.message, new RegExp(`listener web cannot be bound to 127\\.0\\.0\\.1:${port}`));
      return true;
    });
  });
});

describe('a second Fairlead on the same port', () => {
  test('is refused, because it would receive half of the requests', async (t) => {
    const apps = await startApps(t, 1);
    const fairlead = await startFairlead(t, config(apps));
    await assert.rejects(startFairlead(t, config(apps, fairlead.port)), /cannot be bound to 127\.0\.0\.1:\d+: another/);
  });
});

describe('reload', () => {
  test('adds and removes endpoints under load without a failed request', async (t) => {
    const apps = await startApps(t, 3);
    const fairlead = await startFairlead(t, config(apps.slice(0, 2)));
    const stop = new AbortController();
    const load = sendMany(fairlead.port, { connections: 8, signal: stop.signal });
    for (const wanted of [apps, apps.slice(1), apps.slice(0, 1), apps]) {
      fairlead.rewrite(config(wanted));
      const result = await fairlead.plane.reload();
      assert.ok(result.ok && result.changes.length > 0);
      const served = wanted.map((app) => app.served);
      await eventually(() => wanted.every((app, index) => app.served > served[index]!), 'the wanted ones are used');
    }
    stop.abort();
    const outcome = await load;
    assert.deepEqual([...outcome.errors], []);
    assert.deepEqual([...outcome.statuses.keys()], [200]);
  });

  test('starts additional workers and drains surplus ones under load', async (t) => {
    const apps = await startApps(t, 1);
    const fairlead = await startFairlead(t, config(apps));
    const stop = new AbortController();
    const load = sendMany(fairlead.port, { connections: 8, signal: stop.signal });
    const listening = (): number =>
      fairlead.plane.supervisor.status().filter(({ state }) => state === 'listening').length;
    for (const workers of [3, 1]) {
      fairlead.rewrite(config(apps).replace('workers: 2', `workers: ${workers}`));
      assert.equal((await fairlead.plane.reload()).ok, true);
      await eventually(() => listening() === workers, `${workers} workers listen`);
    }
    stop.abort();
    const outcome = await load;
    assert.deepEqual([...outcome.statuses.keys()], [200]);
  });

  test('of a broken file changes nothing', async (t) => {
    const apps = await startApps(t, 1);
    const fairlead = await startFairlead(t, config(apps));
    fairlead.rewrite('upstreams: [');
    const result = await fairlead.plane.reload();
    assert.equal(result.ok, false);
    assert.equal(fairlead.plane.snapshot.revision, 1);
    const outcome = await sendMany(fairlead.port, { connections: 1, requests: 3 });
    assert.deepEqual([...outcome.statuses], [[200, 3]]);
  });
});
