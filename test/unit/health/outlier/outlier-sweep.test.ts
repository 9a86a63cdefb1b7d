// The sweep over live traffic, and what happens to outliers within and beyond the limit. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_CONSECUTIVE } from '../../../../core/memory/layout.ts';
import { HealthBench, REFUSED } from '../../../support/health-bench.ts';
import { endpointSnapshot } from '../../../support/snapshots.ts';

const OUTLIERS = { intervalMs: 10_000, minRequests: 100, minGap: 0.05, sigmas: 4 };
const SWEPT = { heartbeat: null, passive: { outliers: OUTLIERS } };

/** One sweep's worth of traffic: all good, but for the endpoints that fail half of it. */
function sweep(bench: HealthBench, ...bad: number[]): void {
  for (const { slot } of bench.upstream.endpoints) {
    const failures = bad.includes(slot) ? 50 : 0;
    bench.traffic(slot, 50 - failures / 2, failures / 2, 0);
    bench.traffic(slot, 150 - failures / 2, failures / 2, 1);
  }
  bench.clock.advance(10_000);
}

describe('the sweep', () => {
  test('ejects an endpoint that fails clearly more often than the others, over all workers', () => {
    const bench = new HealthBench(SWEPT).begin(0);
    sweep(bench);
    assert.deepEqual(bench.allPublished(), ['up', 'up', 'up']);
    sweep(bench, 1);
    assert.deepEqual(bench.allPublished(), ['up', 'ejected', 'up']);
    const { cause, detector, counters } = bench.view(1);
    assert.equal(cause, "25 % of its 200 requests failed, 0 % of the others'");
    assert.equal(detector, 'outlierTest');
    assert.equal(counters.ejections, 1);
  });

  test('counts only outcomes since the last one', () => {
    const bench = new HealthBench(SWEPT).begin(0);
    bench.traffic(1, 90, 0);
    bench.clock.advance(10_000);
    bench.traffic(1, 0, 90);
    bench.traffic(0, 900, 0);
    bench.clock.advance(10_000);
    assert.equal(bench.published(1), 'up');
    bench.traffic(1, 0, 100);
    bench.traffic(0, 900, 0);
    bench.clock.advance(10_000);
    assert.equal(bench.published(1), 'ejected');
  });

  test('holds nothing against an endpoint that it did before it came back', () => {
    const bench = new HealthBench(SWEPT).begin(0);
    bench.clock.advance(5_000);
    sweepTraffic(bench, 1);
    bench.cross(1);
    bench.clock.advance(4_000);
    bench.health.setAdmin('api', '127.0.0.1:3001', 'maintenance', 'cli');
    bench.health.setAdmin('api', '127.0.0.1:3001', 'ready', 'cli');
    bench.clock.advance(2_000);
    assert.equal(bench.published(1), 'up');
  });

  test('makes each ejection longer than the last, for an outlier that stays one', () => {
    const bench = new HealthBench(SWEPT).begin(0);
    const inRow: number[] = [];
    for (let round = 0; round < 4; round++) {
      sweep(bench, 1);
      inRow.push(bench.view(1).ejectionsInRow);
      bench.clock.advance(50_000);
      bench.trial(1, true);
    }
    assert.deepEqual(inRow, [1, 2, 3, 4]);
  });

  test('begins where the earlier owner of a slot has ended', () => {
    const bench = new HealthBench(SWEPT).begin(0);
    sweepTraffic(bench, 1);
    bench.apply({ endpoints: [endpointSnapshot(0), endpointSnapshot(2)] });
    bench.apply({ endpoints: [endpointSnapshot(0), endpointSnapshot(1, { generation: 2 }), endpointSnapshot(2)] });
    bench.clock.advance(10_000);
    assert.equal(bench.published(1), 'up');
  });

  test('keeps its rhythm over a reload, takes a changed interval, and ends where it is turned off', () => {
    const bench = new HealthBench(SWEPT).begin(0);
    bench.clock.advance(9_000);
    sweepTraffic(bench, 1);
    bench.apply();
    bench.clock.advance(1_000);
    assert.equal(bench.published(1), 'ejected');
    bench.apply({ passive: { ...bench.upstream.passive, outliers: { ...OUTLIERS, intervalMs: 3_000 } } });
    sweepTraffic(bench, 2);
    bench.clock.advance(3_000);
    assert.equal(bench.published(2), 'ejected');
    bench.apply({ passive: { ...bench.upstream.passive, outliers: null } });
    bench.clock.advance(60_000);
    assert.equal(bench.clock.pendingCount, 0);
  });

  test('ends with its upstream', () => {
    const bench = new HealthBench(SWEPT).begin(0);
    bench.health.stop();
    assert.equal(bench.clock.pendingCount, 0);
  });

  /** Traffic in which one endpoint fails half of its requests. */
  function sweepTraffic(bench: HealthBench, bad: number): void {
    for (const { slot } of bench.upstream.endpoints) bench.traffic(slot, 200, slot === bad ? 200 : 0);
  }
});

describe('an outlier that the limit protects', () => {
  const FOUR = { ...SWEPT, endpoints: 4 };

  test('carries a quarter of its weight, as long as sweeps find it bad, and is counted', () => {
    const bench = new HealthBench(FOUR).begin(0);
    bench.cross(0);
    bench.cross(1);
    sweep(bench, 2);
    assert.deepEqual(bench.allPublished().slice(2), ['up', 'up']);
    assert.deepEqual([bench.share(2), bench.share(3)], [0.25, 1]);
    const { counters, reducedUntil } = bench.view(2);
    assert.equal(counters.ejectionsRefused, 1);
    assert.equal(reducedUntil, bench.clock.wallMs() + 20_000);
  });

  test('carries all again when it had no outlier for a while', () => {
    const bench = new HealthBench(FOUR).begin(0);
    for (const slot of [0, 1]) bench.cross(slot, 'gateway');
    for (let round = 0; round < 3; round++) {
      sweepOf(bench, 2);
      assert.equal(bench.share(2), 0.25);
      for (const slot of [0, 1]) if (bench.published(slot) === 'halfOpen') bench.trial(slot, false);
    }
    bench.clock.advance(19_900);
    assert.equal(bench.share(2), 0.25);
    bench.clock.advance(200);
    assert.equal(bench.share(2), 1);
    const said = bench.health.events.list().filter(({ axis }) => axis === 'share');
    assert.deepEqual(
      said.map(({ from, to, detector }) => `${from}>${to} ${detector}`),
      ['full>reduced outlierTest', 'reduced>full timer'],
    );
  });

  test('is ejected as soon as the limit allows it', () => {
    const bench = new HealthBench(FOUR).begin(0);
    for (const slot of [0, 1]) bench.cross(slot);
    sweepOf(bench, 2);
    assert.equal(bench.share(2), 0.25);
    bench.clock.advance(1_500);
    bench.trial(0, true);
    sweepOf(bench, 2);
    assert.deepEqual([bench.published(2), bench.share(2)], ['ejected', 1]);
    assert.equal(bench.health.events.list().at(-1)!.to, 'full');
  });

  test('is spared the same when it fails requests in a row', () => {
    const bench = new HealthBench({ ...FOUR, passive: {} }).begin(0);
    for (const slot of [0, 1, 2]) bench.cross(slot);
    assert.deepEqual([bench.published(2), bench.share(2), bench.word(2, E_CONSECUTIVE)], ['up', 0.25, 0]);
    bench.clock.advance(10_100);
    assert.equal(bench.share(2), 1);
  });

  test('keeps its full weight if no other endpoint could take it', () => {
    const bench = new HealthBench({ ...SWEPT, endpoints: 1 }).begin(0);
    bench.cross(0);
    assert.deepEqual([bench.share(0), bench.view(0).reducedUntil], [1, null]);
  });

  test('carries all of it when the others are gone', () => {
    const bench = new HealthBench({ endpoints: 4, passive: { outliers: OUTLIERS } }).begin();
    for (const slot of [0, 1]) bench.checker.results.set(slot, REFUSED);
    bench.clock.advance(6_000);
    bench.cross(2, 'gateway');
    assert.equal(bench.share(2), 0.25);
    bench.checker.results.set(3, REFUSED);
    bench.clock.advance(4_000);
    assert.deepEqual([bench.published(2), bench.share(2)], ['up', 1]);
  });

  /** As `sweep`, for endpoints that take traffic. */
  function sweepOf(bench: HealthBench, bad: number): void {
    for (const { slot } of bench.upstream.endpoints) {
      if (bench.published(slot) === 'up') bench.traffic(slot, 200, slot === bad ? 200 : 0);
    }
    bench.clock.advance(10_000);
  }
});
