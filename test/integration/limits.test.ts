// Limits and queues over several worker threads, on real sockets. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppServer, startApps } from '../support/app-server.ts';
import { sendMany } from '../support/client.ts';
import { eventually, startFairlead } from '../support/fairlead.ts';
import { UPSTREAM } from '../../core/memory/layout.ts';

const config = (apps: readonly AppServer[], limits: string, timeouts = ''): string => `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}]
    limits: ${limits}
    ${timeouts}
`;

/** Counts the concurrent requests of an application server. */
function watchConcurrency(app: AppServer, delayMs: number): { most: number } {
  const seen = { now: 0, most: 0 };
  app.handler = (request, response) => {
    request.resume();
    seen.most = Math.max(seen.most, ++seen.now);
    setTimeout(() => {
      seen.now--;
      response.end(app.name);
    }, delayMs);
  };
  return seen;
}

describe('maxConnections', () => {
  test('is exact over two workers, and every queued request is served', async (t) => {
    const apps = await startApps(t, 2);
    const seen = apps.map((app) => watchConcurrency(app, 5));
    const fairlead = await startFairlead(t, config(apps, '{ maxConnections: 3, maxQueue: 1000 }'));
    const outcome = await sendMany(fairlead.port, { requests: 600, connections: 40 });
    assert.deepEqual([...outcome.statuses], [[200, 600]]);
    assert.deepEqual(
      seen.map(({ most }) => most),
      [3, 3],
    );
    const { region } = fairlead.plane;
    const record = region.upstreamWord(0);
    await eventually(() => region.words[record + UPSTREAM.queued.index] === 0, 'nobody waits any more');
    assert.equal(region.words[record + UPSTREAM.ticketNext.index], region.words[record + UPSTREAM.ticketServed.index]);
  });

  test('a full queue causes 503 at once, with Retry-After', async (t) => {
    const apps = await startApps(t, 1);
    watchConcurrency(apps[0]!, 300);
    const fairlead = await startFairlead(t, config(apps, '{ maxConnections: 1, maxQueue: 2 }'));
    const outcome = await sendMany(fairlead.port, { requests: 8, connections: 8 });
    assert.deepEqual(
      new Map([...outcome.statuses].toSorted(([a], [b]) => a - b)),
      new Map([
        [200, 3],
        [503, 5],
      ]),
    );
  });

  test('clients that leave the queue free their places', async (t) => {
    const apps = await startApps(t, 1);
    apps[0]!.handler = (request) => request.resume();
    const fairlead = await startFairlead(t, config(apps, '{ maxConnections: 1, maxQueue: 5 }'));
    const stuck = sendMany(fairlead.port, { requests: 1, connections: 1 });
    await eventually(() => apps[0]!.served === 1, 'the only place is taken');
    const queued = (): number =>
      fairlead.plane.region.words[fairlead.plane.region.upstreamWord(0) + UPSTREAM.queued.index]!;
    const leaving = Array.from({ length: 5 }, () => {
      const abort = new AbortController();
      const gone = fetch(fairlead.url, { signal: abort.signal }).catch(() => 'gone');
      return { abort, gone };
    });
    await eventually(() => queued() === 5, 'five wait');
    for (const { abort } of leaving) abort.abort();
    await Promise.all(leaving.map(({ gone }) => gone));
    await eventually(() => queued() === 0, 'the queue is empty');
    await apps[0]!.kill();
    await stuck;
  });

  test('the death of a worker leaves no waiter in the counts', async (t) => {
    const apps = await startApps(t, 1);
    apps[0]!.handler = (request) => request.resume();
    const fairlead = await startFairlead(t, config(apps, '{ maxConnections: 1, maxQueue: 50 }'));
    const stuck = sendMany(fairlead.port, { requests: 20, connections: 20 });
    const queued = (): number =>
      fairlead.plane.region.words[fairlead.plane.region.upstreamWord(0) + UPSTREAM.queued.index]!;
    await eventually(() => queued() === 19, 'all others wait');
    await fairlead.plane.supervisor.killWorker(0);
    await fairlead.plane.supervisor.killWorker(1);
    await stuck;
    assert.equal(queued(), 0);
  });
});
