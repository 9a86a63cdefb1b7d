// Maintenance in Snapshots: which routes and upstreams get its policies, and what happens to the switches. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MaintenanceChange } from '../../../admin/admin-context.ts';
import { newTables } from '../../../config/compile/compile.ts';
import type { Snapshot } from '../../../core/snapshot/snapshot.ts';
import { Maintenance } from '../../../control/maintenance.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../support/loggers.ts';
import { policySnapshot, routeSnapshot, snapshot, upstreamSnapshot } from '../../support/snapshots.ts';

const to = (upstream: number) => ({ kind: 'upstream', upstream }) as const;
const SPLIT = policySnapshot('split', {}, { needs: ['choose-upstream'] });
const SITE: Snapshot = snapshot({
  routes: [
    routeSnapshot({ name: 'shop', action: to(0) }),
    routeSnapshot({ name: 'blog', action: to(1) }),
    routeSnapshot({ name: 'trial', action: to(0), policies: [SPLIT] }),
  ],
  upstreams: [upstreamSnapshot({ name: 'api', index: 0 }), upstreamSnapshot({ name: 'web', index: 1 })],
});

function begin() {
  const log: LogLine[] = [];
  const changes: MaintenanceChange[] = [];
  const world = { published: 0, refusal: '' };
  const maintenance = new Maintenance({
    tables: newTables({ endpoints: 1, upstreams: 1, listeners: 1 }),
    clock: new FakeClock(0, 1000),
    log: recordingLog(log),
    publish: async () => {
      await Promise.resolve();
      if (world.refusal !== '') throw new Error(world.refusal);
      world.published++;
    },
    onChange: (change) => void changes.push(change),
  });
  return { maintenance, log, changes, world };
}

/** Places with a policy of maintenance, by what they say. */
async function refusing(maintenance: Maintenance, site = SITE): Promise<Record<string, string>> {
  const { routes, upstreams } = await maintenance.prepare(site);
  const found = [...routes, ...upstreams].flatMap(({ name, policies }) =>
    policies.filter((policy) => policy.name.endsWith('maintenance')).map(({ data }) => [name, JSON.stringify(data)]),
  );
  return Object.fromEntries(found) as Record<string, string>;
}

const SHOP = { of: 'route', name: 'shop', isOn: true, retryAfterS: 60 } as const;
const API = { ...SHOP, of: 'upstream', name: 'api' } as const;

describe('maintenance', () => {
  test('leaves a Snapshot as it is while nothing is in it', async () => {
    const { maintenance } = begin();
    assert.equal(await maintenance.prepare(SITE), SITE);
  });

  test('of a route is a policy on that route, before the others', async () => {
    const { maintenance } = begin();
    await maintenance.set({ ...SHOP, name: 'trial', retryAfterS: 5 }, 'a test');
    const { routes } = await maintenance.prepare(SITE);
    assert.deepEqual(
      routes.map(({ policies }) => policies.map(({ name }) => name)),
      [['shedding'], ['shedding'], ['maintenance', 'split']],
    );
    assert.equal(routes[0], SITE.routes[0], 'other routes stay the same objects');
    const active = { of: 'route', name: 'trial', retryAfterS: 5 };
    assert.deepEqual(routes[2]!.policies[0]!.data, { maintenance: active, bypass: null });
  });

  test('keeps the testers that a route and an upstream are configured with', async () => {
    const testers = (name: string, client: string) =>
      policySnapshot(name, { maintenance: null, bypass: { clients: [client], header: '', cookie: '', secret: '' } });
    const shop = routeSnapshot({ name: 'shop', action: to(0), policies: [testers('maintenance', '10.0.0.0/8')] });
    const api = { ...upstreamSnapshot({ name: 'api', index: 0 }), policies: [testers('upstream-maintenance', '::1')] };
    const site = snapshot({ routes: [shop], upstreams: [api] });
    const { maintenance } = begin();
    await maintenance.set(API, 'a test');
    const ofUpstream = await refusing(maintenance, site);
    assert.match(ofUpstream['shop']!, /"of":"upstream".*"clients":\["::1"\]/, 'the testers of the upstream');
    assert.match(ofUpstream['api']!, /"clients":\["::1"\]/);
    await maintenance.set(SHOP, 'a test');
    const { routes } = await maintenance.prepare(site);
    assert.match(JSON.stringify(routes[0]!.policies), /"of":"route".*"clients":\["10.0.0.0\/8"\]/);
    assert.equal(routes[0]!.policies.length, 1);
  });

  test('of an upstream is on the routes that lead to it, and on the upstream for splits', async () => {
    const { maintenance } = begin();
    await maintenance.set(API, 'a test');
    assert.deepEqual(Object.keys(await refusing(maintenance)).sort(), ['api', 'shop']);
    await maintenance.set(SHOP, 'a test');
    assert.match((await refusing(maintenance))['shop']!, /"of":"route"/, "the route's own comes first");
    await maintenance.set({ ...API, isOn: false }, 'a test');
    assert.deepEqual(Object.keys(await refusing(maintenance)), ['shop']);
  });

  test('is published, logged and reported once a change, with its author', async () => {
    const { maintenance, world, log, changes } = begin();
    let writes = 0;
    maintenance.subscribe(() => void writes++);
    await maintenance.set(SHOP, 'the admin API (token ops)');
    await maintenance.set(SHOP, 'another');
    await maintenance.set({ ...API, isOn: false }, 'another');
    await maintenance.set({ ...SHOP, retryAfterS: 90 }, 'another');
    await maintenance.set({ ...SHOP, isOn: false }, 'another');
    assert.equal(world.published, 3);
    assert.equal(writes, 3);
    assert.deepEqual(
      log.map(({ text }) => text),
      [
        'route shop is in maintenance: switched on by the admin API (token ops)',
        'route shop is in maintenance: switched on by another',
        'route shop is no longer in maintenance: switched off by another',
      ],
    );
    assert.deepEqual(changes[0], {
      at: 1000,
      of: 'route',
      name: 'shop',
      isOn: true,
      cause: 'switched on by the admin API (token ops)',
    });
  });

  test('that cannot be published has changed nothing', async () => {
    const { maintenance, world, changes } = begin();
    await maintenance.set(SHOP, 'a test');
    world.refusal = 'no worker';
    await assert.rejects(maintenance.set({ ...SHOP, isOn: false }, 'a test'), /no worker/);
    await assert.rejects(maintenance.set(API, 'a test'), /no worker/);
    assert.deepEqual(
      maintenance.list().map(({ name }) => name),
      ['shop'],
    );
    assert.equal(changes.length, 1);
  });

  test('ends with the configuration that no longer has the name', async () => {
    const { maintenance, changes } = begin();
    await maintenance.set(SHOP, 'a test');
    await maintenance.set(API, 'a test');
    maintenance.apply({ ...SITE, routes: [] });
    assert.deepEqual(
      maintenance.list().map(({ name }) => name),
      ['api'],
    );
    assert.equal(changes.at(-1)!.cause, 'the configuration no longer has it');
  });

  test('is restored from what was saved', async () => {
    const before = begin();
    await before.maintenance.set(API, 'a test');
    const after = begin();
    after.maintenance.restore(before.maintenance.save());
    assert.deepEqual(after.maintenance.list(), before.maintenance.list());
    assert.deepEqual(Object.keys(await refusing(after.maintenance)).sort(), ['api', 'shop']);
    assert.equal(after.log[0]!.text, 'maintenance kept over a restart: upstream api');
  });
});
