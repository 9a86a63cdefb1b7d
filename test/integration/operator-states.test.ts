// Effects of the admin API's changes on clients: drain and maintenance with sticky clients, slow start after maintenance,
// backups. Both paths, real workers. Thread: main.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, test } from 'node:test';
import { type AppServer, startApps } from '../support/app-server.ts';
import { sendMany } from '../support/client.ts';
import { eventually, PATHS, type RunningFairlead, startFairlead } from '../support/fairlead.ts';

const config = (endpoints: readonly string[], fastPath: boolean, more: string): string => `
workers: 2
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    balance: round-robin
    endpoints: [${endpoints.join(', ')}]
    ${more}
admin: { bind: "127.0.0.1:0" }
`;

const urlOf = (app: AppServer): string => `"http://${app.address}"`;

async function set(fairlead: RunningFairlead, app: AppServer, admin: string): Promise<void> {
  const answer = await fetch(`${fairlead.adminUrl}/api/v1/endpoints/app/${app.address}/state`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ admin }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

interface Facts {
  readonly availability: string;
  readonly weightShare: number;
  readonly warming: { readonly percent: number } | null;
  readonly reasons: readonly { readonly axis: string; readonly value: string; readonly detector: string }[];
}

async function why(fairlead: RunningFairlead, app: AppServer): Promise<Facts> {
  const answer = await fetch(`${fairlead.adminUrl}/api/v1/endpoints/app/${app.address}/why`);
  return (await answer.json()) as Facts;
}

/** Sends one GET on a new connection; returns the endpoint that answered, and its cookie. */
function get(port: number, cookie?: string): Promise<{ readonly app: string; readonly cookie: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = cookie === undefined ? {} : { cookie };
    const asked = request({ port, host: '127.0.0.1', agent: false, headers });
    asked.on('error', reject);
    asked.on('response', (response) => {
      response.resume();
      const setCookie = response.headers['set-cookie']?.[0]?.split(';')[0];
      response.on('end', () => resolve({ app: String(response.headers['x-app']), cookie: setCookie }));
    });
    asked.end();
  });
}

/** Responses of each endpoint to `requests` requests without a cookie. */
async function shares(fairlead: RunningFairlead, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const onBody = (_: number, body: string): void => void (counts[body] = (counts[body] ?? 0) + 1);
  const outcome = await sendMany(fairlead.port, { connections: 1, requests, onBody });
  assert.deepEqual([...outcome.statuses.keys()], [200]);
  return counts;
}

for (const fastPath of PATHS) {
  describe(`with the fast path ${fastPath ? 'on' : 'off'}`, () => {
    test('a draining endpoint keeps its sticky clients, one in maintenance none; no endpoint receives our cookie', async (t) => {
      const apps = await startApps(t, 2);
      const cookiesSeen: (string | undefined)[] = [];
      for (const app of apps) {
        app.handler = (asked, response) => {
          cookiesSeen.push(asked.headers.cookie);
          response.setHeader('x-app', app.name);
          response.end(app.name);
        };
      }
      const fairlead = await startFairlead(t, config(apps.map(urlOf), fastPath, 'sticky: { cookie: lb }'));
      const first = await get(fairlead.port);
      const own = apps.find(({ name }) => name === first.app)!;
      const other = apps.find(({ name }) => name !== first.app)!;
      const cookie = `before=1; ${first.cookie}; behind=2`;

      await set(fairlead, own, 'drain');
      for (let round = 0; round < 5; round++) {
        assert.deepEqual(await get(fairlead.port, cookie), { app: own.name, cookie: undefined });
        assert.equal((await get(fairlead.port)).app, other.name);
      }

      await set(fairlead, own, 'maintenance');
      const bound = await get(fairlead.port, cookie);
      assert.equal(bound.app, other.name);
      assert.match(String(bound.cookie), /^lb=v1\./);
      assert.notEqual(bound.cookie, first.cookie);

      await set(fairlead, own, 'ready');
      assert.deepEqual(await get(fairlead.port, bound.cookie), { app: other.name, cookie: undefined });
      assert.deepEqual(new Set(cookiesSeen), new Set([undefined, 'before=1; behind=2']));
    });
  });
}

test('an endpoint warms up after maintenance, and the API shows it', async (t) => {
  const apps = await startApps(t, 2);
  const fairlead = await startFairlead(t, config(apps.map(urlOf), true, 'slowStart: 60s'));
  assert.deepEqual(await shares(fairlead, 40), { a: 20, b: 20 });
  await set(fairlead, apps[0]!, 'maintenance');
  assert.deepEqual(await shares(fairlead, 40), { b: 40 });
  await set(fairlead, apps[0]!, 'ready');
  const { availability, warming, weightShare, reasons } = await why(fairlead, apps[0]!);
  assert.equal(availability, 'up');
  assert.ok(warming!.percent < 50 && weightShare < 0.5);
  assert.ok(reasons.some(({ axis, value }) => axis === 'slowStart' && value === 'warming'));
  const { a = 0 } = await shares(fairlead, 200);
  assert.ok(a > 0 && a < 60, `${a} of 200`);
});

test('backups are used below the threshold, alone if no primary is left, until enough primaries are back', async (t) => {
  const apps = await startApps(t, 3);
  const endpoints = [...apps.slice(0, 2).map(urlOf), `{ url: ${urlOf(apps[2]!)}, backup: true }`];
  const fairlead = await startFairlead(t, config(endpoints, true, 'backups: { below: 60% }'));
  const names = async (): Promise<string> =>
    Object.keys(await shares(fairlead, 30))
      .toSorted()
      .join('');
  assert.equal(await names(), 'ab');
  await set(fairlead, apps[0]!, 'drain');
  assert.equal(await names(), 'bc', 'half of the weight is too little');
  await set(fairlead, apps[1]!, 'maintenance');
  assert.equal(await names(), 'c');
  await set(fairlead, apps[0]!, 'ready');
  assert.equal(await names(), 'ac');
  await set(fairlead, apps[1]!, 'ready');
  await eventually(async () => (await names()) === 'ab', 'the backup is no longer used');
});
