// Endpoints added by the admin API: requests, precedence, reload and restart. Real workers. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { startApps } from '../../support/app-server.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

async function call({ adminUrl }: RunningFairlead, method: string, target: string, body?: object) {
  const response = await fetch(`${adminUrl}/api/v1${target}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, reply: (await response.json()) as Record<string, unknown> };
}

const bodyOf = async ({ url }: RunningFairlead): Promise<string> => await (await fetch(url)).text();

test('endpoints are added, changed, kept over a reload and a restart, and removed', async (t) => {
  const [a, b] = await startApps(t, 2);
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-added-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
upstreams: { api: { endpoints: ["http://${a!.address}"], health: { heartbeat: false }, balance: round-robin } }
health: { stateFile: ${folder}/state.json }
admin: { bind: "127.0.0.1:0" }
`;
  const first = await startFairlead(t, config);
  const target = '/upstreams/api/endpoints';
  const added = await call(first, 'POST', target, { url: `http://${b!.address}`, weight: 3, zone: 'eu-1a' });
  const facts = { weight: 3, backup: false, zone: 'eu-1a', metadata: {}, keptOverRestarts: true };
  const expected = { upstream: 'api', endpoint: b!.address, source: 'api', ...facts };
  assert.deepEqual(added, { status: 200, reply: expected });
  await eventually(async () => (await bodyOf(first)) === 'b', 'the added endpoint serves');
  const labelled = { url: `http://${b!.address}`, metadata: { version: '7' } };
  assert.equal((await call(first, 'POST', target, labelled)).reply['weight'], 1);
  assert.equal((await first.plane.reload()).ok, true);
  const sources = ({ plane }: RunningFairlead) => plane.snapshot.upstreams[0]!.endpoints.map(({ source }) => source);
  assert.deepEqual(sources(first), ['config', 'api']);

  const refused = [
    await call(first, 'POST', target, { url: `http://${a!.address}` }),
    await call(first, 'DELETE', `/endpoints/api/${a!.address}`),
    await call(first, 'DELETE', '/endpoints/api/10.0.0.1:1'),
    await call(first, 'POST', '/upstreams/none/endpoints', { url: 'http://10.0.0.1:1' }),
    await call(first, 'POST', target, { url: 'http://10.0.0.1:1/path' }),
    await call(first, 'POST', target, { url: 'http://10.0.0.1:1', weight: 0 }),
    await call(first, 'POST', target, { url: 'tcp://10.0.0.1:1' }),
  ];
  assert.deepEqual(
    refused.map(({ status }) => status),
    [409, 409, 404, 404, 400, 400, 409],
  );
  await first.plane.close();

  const second = await startFairlead(t, config);
  assert.deepEqual(sources(second), ['config', 'api'], 'a restart keeps it');
  assert.deepEqual(second.plane.snapshot.upstreams[0]!.endpoints[1]!.metadata, { version: '7' });
  assert.equal((await call(second, 'DELETE', `/endpoints/api/${b!.address}`)).status, 200);
  assert.deepEqual(sources(second), ['config']);
  const { served } = b!;
  for (let turn = 0; turn < 4; turn++) assert.equal(await bodyOf(second), 'a');
  assert.equal(b!.served, served);
});
