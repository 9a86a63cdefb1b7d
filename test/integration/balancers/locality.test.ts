// Locality in a complete Fairlead: requests stay in the zone of the configuration, spill over as its endpoints drain, and
// API, metrics and explain show it. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApps } from '../../support/app-server.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';

test('requests stay in their zone, and leave it in proportion', async (t) => {
  const apps = await startApps(t, 4);
  const [a, b, c, d] = apps.map(
    ({ address }, at) => `{ url: "http://${address}", zone: ${at < 2 ? 'here' : 'there'} }`,
  );
  const fairlead = await startFairlead(
    t,
    `
workers: 1
zone: here
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
upstreams:
  api: { balance: random, endpoints: [${a}, ${b}, ${c}, ${d}], locality: { spillBelow: 80% }, health: { heartbeat: false } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  const served = async (count: number): Promise<Record<string, number>> => {
    const bodies: string[] = [];
    for (let turn = 0; turn < count; turn++) bodies.push(await (await fetch(fairlead.url)).text());
    return Object.fromEntries(Object.entries(Object.groupBy(bodies, (body) => body)).map(([k, v]) => [k, v!.length]));
  };
  const before = await served(40);
  assert.equal((before['a'] ?? 0) + (before['b'] ?? 0), 40);

  const state = `${fairlead.adminUrl}/api/v1/endpoints/api/${apps[0]!.address}/state`;
  const headers = { 'content-type': 'application/json' };
  await fetch(state, { method: 'POST', headers, body: '{"admin":"drain"}' });
  await eventually(async () => {
    const { a: drained = 0, b: home = 0 } = await served(100);
    return drained === 0 && home > 40 && home < 85;
  }, 'about 62 of 100 requests stay');

  type Upstream = { locality: { zone: string; usableShare: number; share: number } };
  const api = (await (await fetch(`${fairlead.adminUrl}/api/v1/upstreams/api`)).json()) as Upstream;
  assert.deepEqual(api.locality, { zone: 'here', spillBelowPercent: 80, usableShare: 0.5, share: 0.625 });
  const metrics = await (await fetch(`${fairlead.adminUrl}/metrics`)).text();
  assert.match(metrics, /^fairlead_upstream_own_zone_share\{upstream="api"\} 0\.625$/m);
  assert.match(metrics, /^fairlead_upstream_zone_picks_total\{zone="other",upstream="api"\} [1-9]/m);
  const query = `url=${encodeURIComponent(fairlead.url)}`;
  const explained = (await (await fetch(`${fairlead.adminUrl}/api/v1/explain?${query}`)).json()) as {
    upstream: Upstream;
  };
  assert.equal(explained.upstream.locality.share, 0.625);
});
