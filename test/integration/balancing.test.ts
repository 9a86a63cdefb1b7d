// Shares of balancers, on real sockets with real worker threads. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startApps, type AppServer } from '../support/app-server.ts';
import { startFairlead } from '../support/fairlead.ts';
import { sendMany } from '../support/client.ts';

const config = (apps: readonly AppServer[], balance: string, endpoints?: string): string => `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    balance: ${balance}
    endpoints: ${endpoints ?? `[${apps.map((app) => `"http://${app.address}"`).join(', ')}]`}
`;

describe('round robin', () => {
  test('gives weights 1:2:3 their exact shares of 6,000 requests over two workers', async (t) => {
    const apps = await startApps(t, 3);
    const weighted = apps.map((app, index) => `{ url: "http://${app.address}", weight: ${index + 1} }`).join(', ');
    const fairlead = await startFairlead(t, config(apps, 'round-robin', `[${weighted}]`));
    const outcome = await sendMany(fairlead.port, { requests: 6000, connections: 16 });
    assert.deepEqual(outcome.statuses, new Map([[200, 6000]]));
    assert.deepEqual(
      apps.map((app) => app.served),
      [1000, 2000, 3000],
    );
  });
});

describe('least request', () => {
  test('gives an endpoint that is ten times slower less than a fifth of its even share', async (t) => {
    const apps = await startApps(t, 4);
    apps.forEach((app, index) => {
      app.handler = (request, response) => {
        request.resume();
        // Long enough that delays of a busy machine hardly change the ratio.
        setTimeout(() => response.end(app.name), index === 0 ? 600 : 60);
      };
    });
    const fairlead = await startFairlead(t, config(apps, 'least-request'));
    const requests = 600;
    const outcome = await sendMany(fairlead.port, { requests, connections: 12 });
    assert.deepEqual(outcome.statuses, new Map([[200, requests]]));
    assert.ok(apps[0]!.served < requests / 4 / 5, `the slow one got ${apps[0]!.served} of ${requests}`);
  });
});

describe('consistent hash', () => {
  test('sends a key to the same endpoint from every worker and connection', async (t) => {
    const apps = await startApps(t, 5);
    const fairlead = await startFairlead(t, config(apps, '{ strategy: consistent-hash, key: header:x-user }'));
    const homes = new Map<string, Set<string>>();
    const keys = Array.from({ length: 50 }, (_, index) => `user-${index}`);
    const outcome = await sendMany(fairlead.port, {
      requests: 1000,
      connections: 8,
      headers: (index) => ({ 'x-user': keys[index % keys.length]! }),
      onBody: (index, body) => {
        const key = keys[index % keys.length]!;
        const known = homes.get(key) ?? new Set();
        homes.set(key, known.add(body));
      },
    });
    assert.deepEqual(outcome.statuses, new Map([[200, 1000]]));
    for (const [key, endpoints] of homes) assert.equal(endpoints.size, 1, `${key} went to ${[...endpoints].join()}`);
    assert.ok(new Set([...homes.values()].flatMap((set) => [...set])).size >= 4);
  });
});
