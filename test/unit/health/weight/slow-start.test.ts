// Slow start: its beginning, the growing share, and its end. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY } from '../../../../core/availability.ts';
import { E_AVAILABILITY, E_FACTOR, E_WARM_START, FULL_FACTOR } from '../../../../core/memory/layout.ts';
import { HealthBench, PASSES, REFUSED } from '../../../support/health-bench.ts';
import { endpointSnapshot } from '../../../support/snapshots.ts';

const SLOW = { slowStartMs: 10_000 };
const NO_HEARTBEAT = { ...SLOW, heartbeat: null };

/** Endpoint 0 goes down and comes back: its slow start has just begun. */
function returned(bench: HealthBench): HealthBench {
  bench.begin();
  bench.checker.results.set(0, REFUSED);
  while (bench.published(0) !== 'down') bench.clock.advance(10);
  bench.checker.results.set(0, PASSES);
  while (bench.published(0) === 'down') bench.clock.advance(10);
  return bench;
}

/** Axis, from, to and detector of the changes of slow start. */
function slowStartEvents(bench: HealthBench): string[] {
  const own = bench.health.events.list().filter(({ axis }) => axis === 'slowStart');
  return own.map(({ endpoint, to, detector }) => `${endpoint.slice(-4)} ${to} ${detector}`);
}

describe('an endpoint that heartbeats bring back', () => {
  test('carries a tenth of its weight at first, then more with the time, then all of it', () => {
    const bench = returned(new HealthBench(SLOW));
    const { epoch } = bench;
    assert.equal(bench.word(0, E_FACTOR), Math.round(FULL_FACTOR / 10));
    bench.clock.advance(1_000);
    assert.equal(bench.share(0), Math.round(FULL_FACTOR / 10) / FULL_FACTOR);
    for (const [ms, share] of [
      [1_000, 0.2],
      [3_000, 0.5],
      [4_000, 0.9],
    ] as const) {
      bench.clock.advance(ms);
      assert.ok(Math.abs(bench.share(0) - share) < 0.021, `${bench.share(0)}, not ${share}`);
    }
    assert.deepEqual(slowStartEvents(bench), ['3000 warming heartbeat']);
    bench.clock.advance(1_000);
    assert.equal(bench.word(0, E_FACTOR), FULL_FACTOR);
    assert.deepEqual(slowStartEvents(bench), ['3000 warming heartbeat', '3000 none timer']);
    assert.equal(bench.epoch, epoch, 'balancers read the share at each pick');
    assert.deepEqual([bench.share(1), bench.share(2)], [1, 1]);
  });

  test('grows in steps of a fiftieth, but not of less than 100 ms', () => {
    for (const [slowStartMs, steps] of [
      [10_000, 50],
      [1_000, 10],
      [60_000, 50],
    ] as const) {
      const bench = returned(new HealthBench({ slowStartMs, heartbeat: { intervalMs: 100_000, timeoutMs: 10 } }));
      const shares = new Set<number>();
      while (bench.view(0).warming !== null) {
        shares.add(bench.share(0));
        bench.clock.advance(10);
      }
      // The first tenth is one step: it is where the share begins.
      assert.ok(Math.abs(shares.size - steps * 0.9) <= 1, `${shares.size} steps in ${slowStartMs} ms`);
    }
  });

  test('is never seen usable with its whole weight before', () => {
    const bench = new HealthBench(SLOW).begin();
    bench.checker.results.set(0, REFUSED);
    while (bench.published(0) !== 'down') bench.clock.advance(10);
    bench.checker.results.set(0, PASSES);
    const place = bench.region.endpointWord(0);
    const { store } = Atomics;
    const seen: number[] = [];
    const spy = (array: Int32Array, index: number, value: number): number => {
      if (index === place + E_AVAILABILITY && value === AVAILABILITY.up) seen.push(bench.word(0, E_FACTOR));
      return store(array, index, value);
    };
    Object.assign(Atomics, { store: spy });
    try {
      bench.clock.advance(10_000);
    } finally {
      Object.assign(Atomics, { store });
    }
    assert.deepEqual(seen, [Math.round(FULL_FACTOR / 10)]);
  });

  test('publishes its start for views and for workers', () => {
    const bench = returned(new HealthBench(SLOW));
    const sinceMs = bench.clock.wallMs() - bench.region.originWallMs - bench.word(0, E_WARM_START);
    assert.ok(sinceMs >= 0 && sinceMs < 10, `${sinceMs}`);
    bench.clock.advance(4_000);
    const { warming, share, counters } = bench.view(0);
    assert.equal(warming!.percent, 40);
    assert.ok(Math.abs(warming!.until - bench.clock.wallMs() - 6_000) < 10);
    assert.ok(Math.abs(share - 0.4) < 0.001);
    assert.equal(counters.slowStarts, 1);
    bench.clock.advance(6_000);
    assert.deepEqual([bench.view(0).warming, bench.view(0).share, bench.word(0, E_WARM_START)], [null, 1, 0]);
  });

  test('is logged', () => {
    const bench = returned(new HealthBench(SLOW));
    assert.deepEqual(bench.texts.slice(-2), [
      'endpoint api/127.0.0.1:3000 is up: heartbeat GET /healthz got 200 (2 of 2 passed); 3 of 3 endpoints of api are usable',
      'endpoint api/127.0.0.1:3000 warms up for 10 s: heartbeat GET /healthz got 200 (2 of 2 passed)',
    ]);
    bench.clock.advance(10_000);
    assert.equal(bench.texts.at(-1), 'endpoint api/127.0.0.1:3000 is no longer warming up: slow start is over');
  });
});

describe('a slow start', () => {
  test('follows an ejection, but only when its trial has gone well', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    bench.cross(1);
    bench.clock.advance(11_000);
    assert.deepEqual([bench.published(1), bench.share(1)], ['halfOpen', 1]);
    bench.trial(1, true);
    assert.ok(bench.share(1) < 0.11);
  });

  test('follows maintenance, not a drain', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    const set = (admin: 'ready' | 'drain' | 'maintenance') =>
      bench.health.setAdmin('api', '127.0.0.1:3000', admin, 'cli');
    set('drain');
    set('ready');
    assert.equal(bench.share(0), 1);
    set('maintenance');
    set('ready');
    assert.ok(bench.share(0) < 0.11);
    assert.deepEqual(slowStartEvents(bench), ['3000 warming operator']);
  });

  test('is not for endpoints that are new, nor after a suspicion, nor where none is configured', () => {
    const bench = new HealthBench(SLOW).begin();
    assert.deepEqual(
      [0, 1, 2].map((slot) => bench.share(slot)),
      [1, 1, 1],
    );
    bench.apply({ endpoints: [...bench.upstream.endpoints, endpointSnapshot(3)] });
    bench.clock.advance(3_000);
    assert.equal(bench.share(3), 1);
    bench.suspect(1, 'gateway');
    bench.clock.advance(30_000);
    assert.deepEqual([bench.published(1), bench.share(1)], ['up', 1]);
    const without = returned(new HealthBench({ slowStartMs: 0 }));
    assert.deepEqual([without.share(0), without.view(0).warming], [1, null]);
  });

  test('is skipped where the upstream was otherwise empty', () => {
    const bench = new HealthBench({ ...SLOW, endpoints: 2 }).begin();
    for (const slot of [0, 1]) bench.checker.results.set(slot, REFUSED);
    bench.clock.advance(10_000);
    bench.checker.results.set(0, PASSES);
    while (bench.published(0) === 'down') bench.clock.advance(10);
    assert.deepEqual([bench.share(0), bench.view(0).warming], [1, null]);
    bench.checker.results.set(1, PASSES);
    while (bench.published(1) === 'down') bench.clock.advance(10);
    assert.deepEqual([bench.share(0), bench.view(1).warming?.percent], [1, 10]);
  });

  test('is skipped where only backups stand in: they take nothing when the primary is back', () => {
    const bench = new HealthBench(SLOW);
    bench.upstream = {
      ...bench.upstream,
      endpoints: [endpointSnapshot(0), endpointSnapshot(1, { backup: true })],
    };
    returned(bench);
    assert.equal(bench.view(0).warming, null);
  });

  test('has no effect while no other endpoint is left: it carries all, until another one is back', () => {
    const bench = returned(new HealthBench({ ...SLOW, endpoints: 2 }));
    bench.clock.advance(3_000);
    bench.health.setAdmin('api', '127.0.0.1:3001', 'drain', 'cli');
    assert.deepEqual([bench.share(0), bench.view(0).warming?.percent], [1, 30]);
    bench.clock.advance(2_000);
    bench.health.setAdmin('api', '127.0.0.1:3001', 'ready', 'cli');
    assert.ok(Math.abs(bench.share(0) - 0.5) < 0.021);
  });

  test('ends when the endpoint goes out again, and restarts when it is back', () => {
    const bench = returned(new HealthBench(SLOW));
    bench.clock.advance(5_000);
    bench.checker.results.set(0, REFUSED);
    while (bench.published(0) === 'up') bench.clock.advance(10);
    assert.deepEqual([bench.share(0), bench.view(0).warming], [1, null]);
    bench.checker.results.set(0, PASSES);
    while (bench.published(0) === 'down') bench.clock.advance(10);
    assert.equal(bench.view(0).warming?.percent, 10);
    assert.deepEqual(slowStartEvents(bench), [
      '3000 warming heartbeat',
      '3000 none heartbeat',
      '3000 warming heartbeat',
    ]);
  });

  test('goes on through a drain and a suspicion', () => {
    const bench = returned(new HealthBench(SLOW));
    bench.health.setAdmin('api', '127.0.0.1:3000', 'drain', 'cli');
    bench.clock.advance(3_000);
    bench.health.setAdmin('api', '127.0.0.1:3000', 'ready', 'cli');
    bench.checker.results.set(0, null);
    bench.suspect(0);
    bench.clock.advance(500);
    assert.equal(bench.published(0), 'suspect');
    assert.equal(bench.view(0).warming?.percent, 34);
  });

  test('takes a changed length at its next step', () => {
    const bench = returned(new HealthBench(SLOW));
    bench.clock.advance(4_000);
    bench.apply({ slowStartMs: 100_000 });
    bench.clock.advance(1_000);
    assert.ok(bench.share(0) < 0.11);
    assert.ok(Math.abs(bench.view(0).warming!.until - bench.clock.wallMs() - 95_000) < 10);
    bench.apply({ slowStartMs: 0 });
    bench.clock.advance(2_000);
    assert.equal(bench.share(0), 1);
    assert.match(bench.texts.at(-1)!, /slow start is turned off$/);
  });

  test('leaves nothing pending when its endpoint is removed, or health stops', () => {
    const removed = returned(new HealthBench(SLOW));
    removed.apply({ endpoints: removed.upstream.endpoints.slice(1), heartbeat: null });
    removed.clock.advance(20_000);
    assert.equal(removed.clock.pendingCount, 0);
    const stopped = returned(new HealthBench(SLOW));
    stopped.health.stop();
    assert.equal(stopped.clock.pendingCount, 0);
  });
});

describe('an endpoint that drains before it has served', () => {
  test('is added in drain, has heartbeats, and begins its service with a slow start', () => {
    const bench = new HealthBench(SLOW);
    bench.begin();
    bench.checker.results.set(3, PASSES);
    bench.health.awaitEndpoint('api/127.0.0.1:3003', 'drain', 'cli');
    bench.apply({ endpoints: [...bench.upstream.endpoints, endpointSnapshot(3)] });
    assert.equal(bench.published(3), 'drain');
    bench.clock.advance(10_000);
    assert.equal(bench.view(3).axes.check, 'up');
    bench.health.setAdmin('api', '127.0.0.1:3003', 'ready', 'cli');
    assert.deepEqual([bench.published(3), bench.view(3).warming?.percent], ['up', 10]);
  });

  test('is ready at once where its state was withdrawn', () => {
    const bench = new HealthBench(SLOW);
    bench.begin();
    bench.health.awaitEndpoint('api/127.0.0.1:3003', 'drain', 'cli')();
    bench.apply({ endpoints: [...bench.upstream.endpoints, endpointSnapshot(3)] });
    assert.deepEqual([bench.published(3), bench.view(3).warming], ['up', null]);
  });

  test('returns with a slow start from a drain that followed an outage', () => {
    const bench = new HealthBench(SLOW);
    bench.begin();
    bench.health.setAdmin('api', '127.0.0.1:3000', 'maintenance', 'cli');
    bench.health.setAdmin('api', '127.0.0.1:3000', 'drain', 'cli');
    bench.health.setAdmin('api', '127.0.0.1:3000', 'ready', 'cli');
    assert.equal(bench.view(0).warming?.percent, 10);
    bench.clock.advance(20_000);
    bench.health.setAdmin('api', '127.0.0.1:3000', 'drain', 'cli');
    bench.health.setAdmin('api', '127.0.0.1:3000', 'ready', 'cli');
    assert.equal(bench.view(0).warming, null, 'a plain drain needs none');
  });
});
