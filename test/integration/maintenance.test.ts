// Maintenance of routes and upstreams, and weights of splits, by the admin API: replies, listings, events, reload and
// restart. Real workers. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { startApps } from '../support/app-server.ts';
import { PATHS, type RunningFairlead, startFairlead } from '../support/fairlead.ts';

interface Reply {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

const get = async ({ url }: RunningFairlead, target: string, accept = 'text/plain'): Promise<Reply> => {
  const response = await fetch(`${url}${target}`, { headers: { accept } });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() };
};

const read = async ({ adminUrl }: RunningFairlead, target: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${adminUrl}${target}`)).json()) as Record<string, unknown>;

async function set(fairlead: RunningFairlead, body: object, headers: Record<string, string> = {}) {
  return await post(fairlead, '/api/v1/maintenance', body, headers);
}

async function post({ adminUrl }: RunningFairlead, target: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${adminUrl}${target}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, reply: (await response.json()) as Record<string, unknown> };
}

for (const fastPath of PATHS) {
  // size: the cases share one proxy, and each is a subtest
  test(`with the fast path ${fastPath ? 'on' : 'off'}`, async (t) => {
    const apps = await startApps(t, 2);
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-maintenance-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const config = (more = ''): string => `
workers: 2
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
  - { name: shop, match: { path: /shop }, upstream: app, errorPages: { 503: { body: "closed: {cause}" } } }
  - name: trial
    match: { path: /trial }
    split: { upstreams: [{ upstream: app, weight: 1 }, { upstream: next, weight: 1 }], override: "header:x-upstream" }
  - { name: text, match: { path: /text }, respond: { body: here } }
  ${more}
upstreams:
  app: { endpoints: ["http://${apps[0]!.address}"] }
  next: { endpoints: ["http://${apps[1]!.address}"] }
health: { stateFile: ${folder}/state.json }
admin: { bind: "127.0.0.1:0" }
`;
    const rest = '- { name: rest, upstream: next }';
    const first = await startFairlead(t, config(rest));

    await t.test('of a route answers 503 with its page, and leaves the others alone', async () => {
      assert.deepEqual(await set(first, { name: 'shop', on: true, retryAfterSeconds: 1800 }), {
        status: 200,
        reply: { of: 'route', name: 'shop', on: true, retryAfterSeconds: 1800 },
      });
      const closed = { status: 503, retryAfter: '1800', text: 'closed: maintenance' };
      for (let count = 0; count < 4; count++) assert.deepEqual(await get(first, '/shop'), closed);
      assert.equal((await get(first, '/text')).text, 'here');
      assert.equal((await get(first, '/elsewhere')).status, 200);
    });

    await t.test('is listed in status, upstreams, explain, metrics, events and the log', async () => {
      const one = { of: 'route', name: 'shop', retryAfterSeconds: 1800 };
      const listed = (await read(first, '/api/v1/maintenance'))['maintenance'] as object[];
      assert.partialDeepStrictEqual(listed, [one]);
      assert.deepEqual((await read(first, '/api/v1/status'))['maintenance'], listed);
      const explained = await read(first, `/api/v1/explain?url=${encodeURIComponent(`${first.url}/shop`)}`);
      const policies = explained['policies'] as { name: string; effect: string }[];
      const { effect } = policies.find(({ name }) => name === 'maintenance')!;
      assert.equal(effect, 'answers 503: route shop is in maintenance');
      const metrics = await (await fetch(`${first.adminUrl}/metrics`)).text();
      assert.match(metrics, /^fairlead_maintenance\{of="route",name="shop"\} 1$/m);
      assert.match(metrics, /^fairlead_policy_requests_total\{policy="maintenance",verdict="refused"\} 4$/m);
      const events = (await read(first, '/api/v1/events?kind=maintenance'))['events'] as object[];
      assert.partialDeepStrictEqual(events, [{ kind: 'maintenance', of: 'route', name: 'shop', on: true }]);
      assert.ok(first.log.some(({ text }) => text.startsWith('route shop is in maintenance: switched on by')));
    });

    await t.test('of an upstream refuses its share of a split alone', async () => {
      assert.equal((await set(first, { name: 'next', on: true })).status, 200);
      const { status, retryAfter, text } = await get(first, '/elsewhere', 'application/json');
      assert.deepEqual([status, retryAfter], [503, '60']);
      assert.match(text, /"code":"maintenance"/);
      const ask = async (upstream: string): Promise<number> =>
        (await fetch(`${first.url}/trial`, { headers: { 'x-upstream': upstream } })).status;
      assert.deepEqual([await ask('app'), await ask('next')], [200, 503]);
      const upstreams = (await read(first, '/api/v1/upstreams'))['upstreams'] as { maintenance: boolean }[];
      assert.deepEqual(
        upstreams.map(({ maintenance }) => maintenance),
        [false, true],
      );
    });

    await t.test('is refused for names that do not exist, and for pages of other sites', async () => {
      const { status, reply } = await set(first, { name: 'shap', on: true });
      assert.deepEqual([status, reply['code']], [404, 'no-such-name']);
      assert.equal(reply['detail'], 'there is no route or upstream shap; did you mean shop?');
      assert.equal((await set(first, { name: 'shop', on: false }, { origin: 'http://evil.example' })).status, 403);
      assert.equal((await set(first, { name: 'shop', on: false }, { 'content-type': 'text/plain' })).status, 415);
    });

    await t.test('weights of a split change at run time', async () => {
      const shop = { route: 'trial', upstream: 'next' };
      const { status, reply } = await post(first, '/api/v1/splits', { ...shop, weight: 0 });
      const upstreams = [
        { name: 'app', weight: 1, configuredWeight: 1 },
        { name: 'next', weight: 0, configuredWeight: 1 },
      ];
      assert.deepEqual([status, reply], [200, { route: 'trial', upstreams }]);
      for (let count = 0; count < 6; count++) assert.equal((await get(first, '/trial')).status, 200);
      const wrong = await post(first, '/api/v1/splits', { ...shop, upstream: 'nxt', weight: 0 });
      assert.equal(
        wrong.reply['detail'],
        'there is no upstream in the split of route trial named nxt; did you mean next?',
      );
      assert.equal((await post(first, '/api/v1/splits', { ...shop, upstream: 'app', weight: 0 })).status, 409);
      assert.equal((await post(first, '/api/v1/splits', { ...shop, route: 'shop', weight: 0 })).status, 404);
      const events = (await read(first, '/api/v1/events?kind=split'))['events'] as object[];
      assert.partialDeepStrictEqual(events, [{ ...shop, from: 1, to: 0 }]);
    });

    await t.test('survives a reload by name, and ends with its name', async () => {
      first.rewrite(config());
      assert.equal((await first.plane.reload()).ok, true);
      assert.equal((await get(first, '/shop')).status, 503);
      first.rewrite(config(rest).replaceAll('name: shop', 'name: store'));
      assert.equal((await first.plane.reload()).ok, true);
      assert.equal((await get(first, '/shop')).status, 200);
      assert.equal((await get(first, '/elsewhere')).status, 503);
    });

    await t.test('survives a restart, and ends when it is switched off', async (s) => {
      await first.plane.close();
      const second = await startFairlead(s, config(rest));
      assert.equal((await get(second, '/elsewhere')).status, 503);
      const { splits } = (await read(second, '/api/v1/splits')) as { splits: { upstreams: { weight: number }[] }[] };
      assert.deepEqual(
        splits[0]!.upstreams.map(({ weight }) => weight),
        [1, 0],
        'weights of splits too',
      );
      assert.equal((await set(second, { name: 'next', of: 'upstream', on: false })).status, 200);
      assert.equal((await get(second, '/elsewhere')).status, 200);
      assert.deepEqual((await read(second, '/api/v1/maintenance'))['maintenance'], []);
      assert.equal((await second.plane.reload()).ok, true, 'slots and ports are as they were');
      assert.equal((await get(second, '/elsewhere')).status, 200);
    });
  });
}
