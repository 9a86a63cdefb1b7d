// Policies of a plugin in a whole Fairlead: every phase on both paths, errors that stay with their request, reloads.
// Thread: main.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { eventually, PATHS, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

const SOURCE = path.join(import.meta.dirname, '../../support/plugins/tried.js');

interface Bench {
  readonly fairlead: RunningFairlead;
  /** Requests as the app servers received them. */
  readonly received: IncomingMessage[];
  readonly plugin: string;
  readonly yaml: string;
}

async function startApp(t: TestContext, name: string, received: IncomingMessage[]): Promise<string> {
  const server = createServer((request, response) => {
    received.push(request);
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'x-secret': 'yes', 'x-app': name, 'content-length': 5 });
      response.end('hello');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function start(t: TestContext, fastPath: boolean): Promise<Bench> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-plugin-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const plugin = path.join(folder, 'tried.mjs');
  copyFileSync(SOURCE, plugin);
  const received: IncomingMessage[] = [];
  const [app, other] = [await startApp(t, 'app', received), await startApp(t, 'other', received)];
  const passive = 'health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }';
  const yaml = `
workers: 1
fastPath: ${fastPath}
plugins: [${plugin}]
admin: { bind: "127.0.0.1:0" }
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
  - { name: census, match: { path: /census }, respond: { status: 404 }, policies: [{ census: true }] }
  - { name: plain, match: { path: /plain }, upstream: app }
  - { name: down, match: { path: /down }, upstream: down, policies: [{ tried: true }] }
  - { name: tried, upstream: app, policies: [{ tried: { tag: one } }] }
upstreams:
  app: { endpoints: ["${app}"], ${passive} }
  other: { endpoints: ["${other}"], ${passive} }
  down: { endpoints: ["http://127.0.0.1:1"], whenAllDown: fail, retry: { attempts: 0 }, ${passive} }
`;
  const fairlead = await startFairlead(t, yaml);
  return { fairlead, received, plugin, yaml };
}

for (const fastPath of PATHS) {
  describe(`policies of a plugin, fastPath: ${fastPath}`, () => {
    test('act in every phase', async (t) => {
      const { fairlead, received } = await start(t, fastPath);
      const get = (target: string) => fetch(fairlead.url + target, { headers: { 'x-gone': '1', 'x-tag': 'mine' } });
      const response = await get('/a');
      assert.equal(await response.text(), 'HELLO!');
      assert.deepEqual([response.headers.get('x-answered'), response.headers.get('x-secret')], ['200', null]);
      const { headers } = received[0]!;
      assert.deepEqual([headers['x-tag'], headers['x-gone']], ['one', undefined]);
      assert.match(String(headers['x-placed']), /^127\.0\.0\.1:\d+$/);
      assert.equal(headers['x-forwarded-for'], '127.0.0.1');
      const refused = await get('/answer');
      assert.deepEqual(
        [refused.status, refused.headers.get('x-why'), await refused.text()],
        [403, 'no', 'not for you'],
      );
      assert.equal((await get('/replace')).status, 410);
      assert.equal((await get('/other')).headers.get('x-app'), 'other');
      await get('/retarget');
      assert.equal(received.at(-1)!.url, '/new?x=1');
      assert.equal(await (await get('/plain')).text(), 'hello');
      const posted = await fetch(`${fairlead.url}/a`, { method: 'POST', body: 'x'.repeat(100_000) });
      assert.equal(await posted.text(), 'HELLO!');
      const head = await fetch(`${fairlead.url}/a`, { method: 'HEAD' });
      assert.equal(head.headers.get('x-answered'), '200');
    });

    test('fail for their own request, and are counted and logged by name', async (t) => {
      const { fairlead } = await start(t, fastPath);
      for (const hook of ['onRequest', 'onPlaced', 'onResponse']) {
        const response = await fetch(`${fairlead.url}/fail/${hook}`);
        assert.equal(response.status, 500, hook);
        assert.match(await response.text(), /policy-failed/);
      }
      await assert.rejects(async () => (await fetch(`${fairlead.url}/fail/onBodyChunk`)).text());
      assert.equal(await (await fetch(`${fairlead.url}/fail/onEnd`)).text(), 'HELLO!');
      const expired = await fetch(`${fairlead.url}/wait/forever`);
      assert.equal(expired.status, 500);
      assert.equal(await (await fetch(`${fairlead.url}/a`)).text(), 'HELLO!');
      const metrics = await (await fetch(`${fairlead.adminUrl}/metrics?scope=policy`)).text();
      assert.match(metrics, /fairlead_policy_errors_total\{policy="tried"\} 5/);
      assert.match(metrics, /fairlead_policy_overruns_total\{policy="tried"\} 1/);
      const lines = fairlead.log.filter(({ text }) => text.startsWith('policy tried'));
      assert.deepEqual(
        lines.map(({ text }) => text.replace(/\d+ ms in/, 'N ms in')),
        [
          'policy tried failed in onRequest: onRequest fails',
          'policy tried took N ms in onRequest, its budget is 200 ms',
        ],
      );
      assert.ok(!fairlead.log.some(({ text }) => /worker .*(died|exited)/.test(text)));
    });

    test('leave an exchange whose client closes while they wait', async (t) => {
      const { fairlead } = await start(t, fastPath);
      const controller = new AbortController();
      const request = fetch(`${fairlead.url}/wait/forever`, { signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      await assert.rejects(request);
      assert.equal(await (await fetch(`${fairlead.url}/a`)).text(), 'HELLO!');
    });
  });
}

test('a reload disposes the policies before it, and loads a plugin again only if its file changed', async (t) => {
  const { fairlead, plugin, yaml } = await start(t, true);
  const census = async () => (await fetch(`${fairlead.url}/census`)).text();
  await fetch(`${fairlead.url}/a`);
  assert.equal(await census(), '2');
  for (let count = 0; count < 5; count++) assert.equal((await fairlead.plane.reload()).ok, true);
  await eventually(async () => (await census()) === '2', 'the instances of earlier revisions are disposed');
  const text = (await import('node:fs')).readFileSync(plugin, 'utf8');
  writeFileSync(plugin, text.replace("'!'", "'?'"));
  assert.equal((await fairlead.plane.reload()).ok, true);
  assert.equal(await (await fetch(`${fairlead.url}/a`)).text(), 'HELLO?');
  writeFileSync(plugin, 'export const policies = [');
  const refused = await fairlead.plane.reload();
  assert.equal(refused.ok, false);
  assert.match(JSON.stringify(refused), /FL4005/);
  assert.equal(await (await fetch(`${fairlead.url}/a`)).text(), 'HELLO?');
  writeFileSync(plugin, text);
  fairlead.rewrite(yaml.replace('tag: one', 'tag: two'));
  assert.equal((await fairlead.plane.reload()).ok, true);
  assert.equal(await (await fetch(`${fairlead.url}/a`)).text(), 'HELLO!');
});

test('explain lists the policies that act, in the order of requests', async (t) => {
  const { fairlead } = await start(t, true);
  const url = encodeURIComponent(`${fairlead.url}/a`);
  const response = await fetch(`${fairlead.adminUrl}/api/v1/explain?url=${url}`);
  const { policies } = (await response.json()) as { policies: { name: string; scope: string }[] };
  assert.deepEqual(
    policies.map(({ name, scope }) => `${name} ${scope}`),
    ['shedding route', 'tried route', 'forwarding-fields listener'],
  );
});
