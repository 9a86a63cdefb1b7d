// The whole of health under a fake clock: shared memory, events and log. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_LIMIT, E_WEIGHT } from '../../../core/memory/layout.ts';
import { snapshot, endpointSnapshot } from '../../support/snapshots.ts';
import { HEARTBEAT, HealthBench, OWN_TROUBLE, PASSES, REFUSED } from '../../support/health-bench.ts';

const GOT_503 = { kind: 'fail', cause: 'got 503' } as const;

describe('heartbeats', () => {
  test('take an endpoint down after fall failures at the fast interval, and up after rise passes', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, GOT_503);
    const count = bench.checker.startsOf(0).length;
    while (bench.published(0) === 'up') bench.clock.advance(10);
    const starts = bench.checker.startsOf(0).slice(count);
    assert.equal(starts.length, 3);
    assert.ok(starts[2]! - starts[0]! <= 1_100);
    bench.checker.results.set(0, PASSES);
    while (bench.published(0) === 'down') bench.clock.advance(10);
    const back = bench.checker.startsOf(0).slice(count + 3);
    assert.equal(back.length, 2);
    const gapMs = back[0]! - starts[2]!;
    assert.ok(gapMs >= 1_800 && gapMs <= 2_200 && back[1]! - back[0]! <= 550);
  });

  test('one failure at the first check is enough', () => {
    const bench = new HealthBench();
    bench.checker.results.set(0, REFUSED);
    bench.begin();
    assert.deepEqual(bench.allPublished(), ['down', 'up', 'up']);
  });

  test('come at the fast interval to endpoints that are down while nothing else is usable', () => {
    const bench = new HealthBench({ endpoints: 2 });
    for (const slot of [0, 1]) bench.checker.results.set(slot, REFUSED);
    bench.begin();
    assert.ok(bench.isAllDown);
    const count = bench.checker.began.length;
    bench.clock.advance(10_000);
    assert.ok(bench.checker.began.length - count >= 36);
    bench.checker.results.set(1, PASSES);
    bench.clock.advance(1_100);
    assert.equal(bench.isAllDown, false);
    assert.deepEqual(bench.allPublished(), ['down', 'up']);
  });

  test('a failure that live traffic contradicts does not count, is logged once, and is followed quickly', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    const count = bench.checker.startsOf(0).length;
    for (let ms = 0; ms < 5_000; ms += 100) {
      bench.succeed(0);
      bench.clock.advance(100);
    }
    assert.equal(bench.published(0), 'up');
    assert.ok(bench.checker.startsOf(0).length - count >= 6);
    const said = bench.texts.filter((text) => text.includes('live traffic succeeds'));
    assert.deepEqual(said, [
      "endpoint api/127.0.0.1:3000: heartbeat GET /healthz: connection refused, but live traffic succeeds: it doesn't count",
    ]);
    assert.ok(bench.view(0).counters.checksContradicted >= 6);
    bench.clock.advance(2_500);
    assert.equal(bench.published(0), 'down');
  });

  test('that cannot be made do not count, are logged once an episode, and leave the state unchanged', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, OWN_TROUBLE);
    bench.clock.advance(30_000);
    assert.equal(bench.published(0), 'up');
    assert.equal(bench.texts.filter((text) => text.includes('our own trouble')).length, 1);
    assert.ok(bench.view(0).counters.checksUnknown > 10);
    assert.equal(bench.view(0).counters.checksFailed, 0);
  });
});

describe('the log', () => {
  test('each state change once, in words', () => {
    const bench = new HealthBench().begin();
    assert.equal(bench.texts.length, 0);
    bench.checker.results.set(0, GOT_503);
    bench.clock.advance(4_000);
    bench.checker.results.set(0, PASSES);
    bench.clock.advance(6_000);
    bench.cross(1, 'gateway');
    bench.health.setAdmin('api', '127.0.0.1:3002', 'drain', 'admin API');
    assert.deepEqual(
      bench.texts.map((text) => text.replace(/for 10(\.\d)? s/, 'for 10.x s')),
      [
        'endpoint api/127.0.0.1:3000 is down: heartbeat GET /healthz got 503 (3 of 3 failed); 2 of 3 endpoints of api remain',
        'endpoint api/127.0.0.1:3000 is up: heartbeat GET /healthz got 200 (2 of 2 passed); 3 of 3 endpoints of api are usable',
        'endpoint api/127.0.0.1:3001 is ejected for 10.x s: 5 failures in a row, the last one: answered 502, 503 or 504; 2 of 3 endpoints of api remain',
        'endpoint api/127.0.0.1:3002 is draining: set to drain by admin API; 1 of 3 endpoints of api remains',
      ],
    );
  });

  test('at a level that fits the change', () => {
    const bench = new HealthBench({ endpoints: 2 }).begin();
    bench.checker.results.set(0, REFUSED);
    bench.clock.advance(4_000);
    bench.checker.results.set(1, REFUSED);
    bench.clock.advance(4_000);
    bench.checker.results.clear();
    bench.clock.advance(6_000);
    const changes = bench.lines.filter(({ level }) => level !== 'debug').map(({ level, fields }) => [level, fields.to]);
    assert.deepEqual(changes, [
      ['warn', 'down'],
      ['error', 'down'],
      ['info', 'up'],
      ['info', 'up'],
    ]);
  });

  test('as an event with the same cause', () => {
    const bench = new HealthBench().begin();
    const received: string[] = [];
    bench.health.events.subscribe(({ axis, from, to }) => received.push(`${axis} ${from}>${to}`));
    bench.cross(1, 'gateway');
    assert.deepEqual(received, ['outlier none>ejected']);
    const { at, ...event } = bench.health.events.list().at(-1)!;
    assert.equal(at, bench.clock.wallMs());
    assert.deepEqual(event, {
      upstream: 'api',
      endpoint: 'api/127.0.0.1:3001',
      axis: 'outlier',
      from: 'none',
      to: 'ejected',
      detector: 'consecutiveFailures',
      cause: '5 failures in a row, the last one: answered 502, 503 or 504',
      availability: 'ejected',
    });
  });
});

describe('the operator', () => {
  test('takes an endpoint out and back in: no heartbeat between, and nothing remembered', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    bench.clock.advance(4_000);
    assert.ok(bench.health.setAdmin('api', 'api/127.0.0.1:3000', 'maintenance', 'cli'));
    assert.equal(bench.published(0), 'maintenance');
    const count = bench.checker.startsOf(0).length;
    bench.clock.advance(60_000);
    assert.equal(bench.checker.startsOf(0).length, count);
    assert.equal(bench.view(0).nextCheck, null);
    bench.checker.results.set(0, PASSES);
    bench.health.setAdmin('api', 'api/127.0.0.1:3000', 'ready', 'cli');
    assert.equal(bench.published(0), 'up');
    assert.equal(bench.checker.startsOf(0).length, count + 1);
    assert.equal(bench.view(0).axes.check, 'up');
  });

  test('learns that there is no such endpoint', () => {
    const bench = new HealthBench().begin();
    assert.equal(bench.health.setAdmin('api', '10.0.0.1:1', 'drain', 'cli'), false);
    assert.equal(bench.health.setAdmin('web', '127.0.0.1:3000', 'drain', 'cli'), false);
    assert.equal(bench.health.setWeight('api', 'nobody', 2, 'cli'), false);
  });

  test('sets a weight, which holds over a reload until the configured one changes', () => {
    const bench = new HealthBench().begin();
    const { epoch } = bench;
    assert.ok(bench.health.setWeight('api', '127.0.0.1:3000', 9, 'cli'));
    assert.equal(bench.word(0, E_WEIGHT), 9);
    assert.equal(bench.epoch, epoch + 1);
    assert.match(bench.texts.at(-1)!, /has weight 9 instead of 1: set to 9 by cli/);
    bench.apply();
    assert.equal(bench.word(0, E_WEIGHT), 9);
    bench.apply({ endpoints: bench.upstream.endpoints.map((one) => ({ ...one, weight: 3 })) });
    assert.equal(bench.word(0, E_WEIGHT), 3);
  });

  test('sets no weight that is none', () => {
    const bench = new HealthBench().begin();
    for (const weight of [0, 257, 1.5, Number.NaN]) {
      assert.throws(() => bench.health.setWeight('api', '127.0.0.1:3000', weight, 'cli'), RangeError);
    }
  });

  test('starts a heartbeat now', () => {
    const bench = new HealthBench().begin();
    const count = bench.checker.startsOf(2).length;
    assert.ok(bench.health.checkNow(2));
    assert.equal(bench.checker.startsOf(2).length, count + 1);
  });
});

describe('a reload', () => {
  test('keeps state by slot and generation, adds and removes', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    bench.clock.advance(4_000);
    bench.cross(1, 'gateway');
    const reused = endpointSnapshot(2, { generation: 2, port: 4_002 });
    bench.apply({ endpoints: [endpointSnapshot(0), endpointSnapshot(1), reused, endpointSnapshot(3)] });
    assert.deepEqual(bench.allPublished(), ['down', 'ejected', 'up', 'up']);
    assert.deepEqual(
      bench.health.endpoints().map(({ axes }) => axes.check),
      ['down', 'up', 'unknown', 'unknown'],
    );
    bench.apply({ endpoints: [endpointSnapshot(3)] });
    bench.clock.advance(20_000);
    assert.deepEqual(
      bench.health.endpoints().map(({ slot }) => slot),
      [3],
    );
    const lateChecks = bench.checker.began.filter(({ startedMs }) => startedMs > bench.clock.nowMs() - 19_000);
    assert.deepEqual(new Set(lateChecks.map(({ slot }) => slot)), new Set([3]));
  });

  test('that removes the last usable endpoint frees the ejected one', () => {
    const bench = new HealthBench({ endpoints: 2, heartbeat: null }).begin();
    bench.cross(0);
    bench.apply({ endpoints: [endpointSnapshot(0)] });
    assert.equal(bench.published(0), 'halfOpen');
  });

  test('that takes the heartbeat away frees an endpoint that it had taken down', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    bench.clock.advance(4_000);
    bench.apply({ heartbeat: null });
    assert.equal(bench.published(0), 'up');
    bench.clock.advance(60_000);
    assert.equal(bench.clock.pendingCount, 0);
  });

  test('that changes the heartbeat checks at once and keeps the verdict until then', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    bench.clock.advance(4_000);
    const count = bench.checker.startsOf(0).length;
    bench.apply({ heartbeat: { ...HEARTBEAT, path: '/other' } });
    assert.equal(bench.published(0), 'down');
    assert.equal(bench.checker.startsOf(0).length, count + 1);
  });

  test('publishes a changed limit', () => {
    const bench = new HealthBench().begin();
    bench.apply({ limits: { ...bench.upstream.limits, maxConnections: 12 } });
    assert.equal(bench.word(1, E_LIMIT), 12);
  });

  test('publishes whether an upstream has a usable endpoint', () => {
    const bench = new HealthBench({ heartbeat: null }).begin();
    assert.equal(bench.isAllDown, false);
    for (const { name } of bench.upstream.endpoints) bench.health.setAdmin('api', name, 'maintenance', 'cli');
    assert.equal(bench.isAllDown, true);
    bench.health.setAdmin('api', bench.upstream.endpoints[0]!.name, 'ready', 'cli');
    assert.equal(bench.isAllDown, false);
    bench.apply({ endpoints: [] });
    assert.equal(bench.isAllDown, true);
  });
});

describe('a view', () => {
  test('shows cause, start and recent heartbeats', () => {
    const bench = new HealthBench().begin();
    bench.checker.latencyMs = 7;
    bench.checker.results.set(0, GOT_503);
    bench.clock.advance(60_000);
    const view = bench.view(0);
    assert.equal(view.availability, 'down');
    assert.equal(view.cause, 'heartbeat GET /healthz got 503 (3 of 3 failed)');
    assert.equal(view.heartbeats.length, 8);
    const last = view.heartbeats.at(-1)!;
    assert.deepEqual([last.kind, last.cause, Math.round(last.durationMs)], ['fail', 'got 503', 7]);
    assert.ok(last.at <= bench.clock.wallMs() && last.at > bench.clock.wallMs() - 5_600);
    assert.ok(view.nextCheck! > bench.clock.wallMs());
    assert.ok(view.since < last.at);
  });

  test('counts checks, transitions and downtime', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    while (bench.published(0) === 'up') bench.clock.advance(10);
    bench.clock.advance(30_000);
    assert.ok(Math.abs(bench.view(0).downtimeSeconds - 30) < 0.02);
    bench.checker.results.set(0, PASSES);
    bench.clock.advance(6_000);
    const { counters, downtimeSeconds } = bench.view(0);
    assert.equal(counters.transitions, 2);
    assert.ok(counters.checksFailed >= 8 && counters.checks > counters.checksFailed);
    assert.ok(downtimeSeconds > 30 && downtimeSeconds < 36);
    bench.clock.advance(60_000);
    assert.equal(bench.view(0).downtimeSeconds, downtimeSeconds);
  });
});

test('an endpoint that takes nothing at all any more is named once, so that idle connections to it are closed', () => {
  const bench = new HealthBench().begin();
  bench.checker.results.set(0, REFUSED);
  bench.clock.advance(30_000);
  bench.cross(1, 'gateway');
  bench.health.setAdmin('api', '127.0.0.1:3002', 'drain', 'cli');
  bench.health.setAdmin('api', '127.0.0.1:3002', 'maintenance', 'cli');
  assert.deepEqual(bench.outOfUse, [0, 2]);
});

test('messages of other kinds are none of its business', () => {
  const bench = new HealthBench().begin();
  bench.health.onWorkerMessage({ kind: 'open-revisions', older: [] });
  bench.health.onWorkerMessage({ kind: 'installed', revision: 1, bound: [], failure: null });
  assert.deepEqual(bench.allPublished(), ['up', 'up', 'up']);
});

test('stop leaves nothing pending', () => {
  const bench = new HealthBench().begin();
  bench.checker.latencyMs = 50;
  bench.cross(1, 'gateway');
  bench.suspect(2, 'gateway');
  bench.clock.advance(10);
  bench.health.stop();
  bench.clock.advance(50);
  assert.equal(bench.clock.pendingCount, 0);
});

test('an upstream without endpoints is taken as it is', () => {
  const bench = new HealthBench({ endpoints: 0 });
  bench.health.apply(snapshot({ upstreams: [bench.upstream] }));
  assert.deepEqual(bench.health.endpoints(), []);
});
