// The admin API of a whole Fairlead over reloads: tokens, another address, none, and one that can't be had; and what a
// weight that was set by hand comes to. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { callAdmin, watchAdmin } from '../../../bin/commands/live/admin-client.ts';
import { adminTarget, type AdminTarget } from '../../../bin/commands/live/admin-target.ts';
import { startFairlead } from '../../support/fairlead.ts';

const TOKEN = 'the-token-of-the-operators';

function yaml(admin: string, weight = 3): string {
  return `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [{ url: "http://127.0.0.1:1", weight: ${weight} }, "http://127.0.0.1:2"]
    health: {}
${admin}
`;
}

const LOOPBACK = 'admin: { bind: "127.0.0.1:0" }';
const ENDPOINT = '/api/v1/endpoints/app/127.0.0.1:1';

/** A target by the address that a control plane tells; sockets are paths. */
function targetAt(address: string | null, token?: string): AdminTarget {
  const admin = address?.startsWith('/') ? `unix:${address}` : (address ?? '');
  return adminTarget(token === undefined ? { admin } : { admin, token });
}

describe('the admin API over reloads', () => {
  test('requires a token as soon as one is configured, and moves to the configured address', async (t) => {
    const fairlead = await startFairlead(t, yaml(LOOPBACK));
    const before = targetAt(fairlead.plane.adminAddress);
    const folder = folderOf(t);
    fairlead.rewrite(yaml(`admin: { bind: "unix:${folder}/a.sock", token: ${TOKEN} }`));
    const reloaded = await callAdmin(before, '/api/v1/reload', { body: {} });
    assert.equal(reloaded.status, 200);
    const { changes } = reloaded.body as { changes: string[] };
    assert.ok(changes.length > 0 && changes.every((change) => change.startsWith('setting admin.')), changes.join());
    assert.ok(!JSON.stringify(reloaded.body).includes(TOKEN));
    await assert.rejects(callAdmin(before, '/api/v1/version'), { name: 'UnreachableError' });
    assert.equal((await callAdmin(targetAt(fairlead.plane.adminAddress), '/api/v1/version')).status, 401);
    const after = targetAt(fairlead.plane.adminAddress, TOKEN);
    const { body } = await callAdmin(after, '/api/v1/config');
    const { generation, config, generations } = body as {
      generation: number;
      config: Record<string, Record<string, unknown>>;
      generations: Record<string, unknown>[];
    };
    assert.equal(generation, 2);
    assert.equal(config['admin']!['token'], '<hidden>');
    assert.deepEqual([generations[0]!['generation'], generations[0]!['workers']], [2, 1]);
  });

  test('goes away and comes back', async (t) => {
    const fairlead = await startFairlead(t, yaml(LOOPBACK));
    fairlead.rewrite(yaml(''));
    assert.equal((await callAdmin(targetAt(fairlead.plane.adminAddress), '/api/v1/reload', { body: {} })).status, 200);
    assert.equal(fairlead.plane.adminAddress, null);
    fairlead.rewrite(yaml(LOOPBACK));
    assert.equal((await fairlead.plane.reload()).ok, true);
    assert.equal((await callAdmin(targetAt(fairlead.plane.adminAddress), '/readyz')).status, 200);
  });

  test('stays, and with it all of the configuration, where the new address is taken', async (t) => {
    const fairlead = await startFairlead(t, yaml(LOOPBACK));
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    fairlead.rewrite(yaml(`admin: { bind: "127.0.0.1:${(taken.address() as AddressInfo).port}" }`, 7));
    const target = targetAt(fairlead.plane.adminAddress);
    const refused = await callAdmin(target, '/api/v1/reload', { body: {} });
    assert.equal(refused.status, 422);
    assert.match(JSON.stringify(refused.body), /can't be bound to 127\.0\.0\.1:\d+: .*EADDRINUSE/);
    const { generation } = (await callAdmin(target, '/api/v1/status')).body as { generation: number };
    assert.equal(generation, 1);
  });

  test('tells those who watch', async (t) => {
    const fairlead = await startFairlead(t, yaml(LOOPBACK));
    const ends = new AbortController();
    const stream = watchAdmin(targetAt(fairlead.plane.adminAddress), '/api/v1/events', { signal: ends.signal });
    assert.equal((await stream.next()).value?.event, 'status');
    fairlead.rewrite(yaml(LOOPBACK, 9));
    await fairlead.plane.reload();
    for await (const { event, data } of stream) {
      if (event !== 'reload') continue;
      const { ok, generation, changes } = data as { ok: boolean; generation: number; changes: string[] };
      assert.deepEqual([ok, generation], [true, 2]);
      assert.deepEqual(changes, ['upstream app: endpoint 127.0.0.1:1: weight 3 -> 9']);
      ends.abort();
    }
  });

  test('keeps a weight that was set by hand until the configured one changes', async (t) => {
    const fairlead = await startFairlead(t, yaml(LOOPBACK));
    const target = targetAt(fairlead.plane.adminAddress);
    const weights = async () => {
      const { weight, configuredWeight, isWeightOverridden } = (await callAdmin(target, ENDPOINT)).body as Weights;
      return { weight, configuredWeight, isWeightOverridden };
    };
    await callAdmin(target, `${ENDPOINT}/weight`, { body: { weight: 40 } });
    const byHand = { weight: 40, configuredWeight: 3, isWeightOverridden: true };
    assert.deepEqual(await weights(), byHand);
    await fairlead.plane.reload();
    assert.deepEqual(await weights(), byHand);
    await callAdmin(target, ENDPOINT, { method: 'PATCH', body: { weight: null } });
    assert.deepEqual(await weights(), { weight: 3, configuredWeight: 3, isWeightOverridden: false });
    await callAdmin(target, `${ENDPOINT}/weight`, { body: { weight: 40 } });
    fairlead.rewrite(yaml(LOOPBACK, 5));
    await fairlead.plane.reload();
    assert.deepEqual(await weights(), { weight: 5, configuredWeight: 5, isWeightOverridden: false });
  });

  test('never goes to traffic: the listener has no such paths', async (t) => {
    const fairlead = await startFairlead(t, yaml(LOOPBACK));
    const [response] = (await once(http.get(`${fairlead.url}/api/v1/status`), 'response')) as [http.IncomingMessage];
    response.resume();
    assert.ok(response.statusCode === 502 || response.statusCode === 503);
  });
});

interface Weights {
  readonly weight: number;
  readonly configuredWeight: number;
  readonly isWeightOverridden: boolean;
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
