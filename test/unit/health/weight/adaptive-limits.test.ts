// Adaptive limits over shared memory: what counts as a sample, what a reload and a slow start do, and how the limit
// does under load in a queueing model with fixed seeds. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_INFLIGHT, E_LIMIT } from '../../../../core/memory/layout.ts';
import { latencyBucketOf } from '../../../../core/memory/lane-fields.ts';
import type { UpstreamSnapshot } from '../../../../core/snapshot/upstream.ts';
import { ConcurrencyModel } from '../../../support/concurrency-model.ts';
import { HealthBench, PASSES, REFUSED } from '../../../support/health-bench.ts';

const SEEDS = [1, 2, 3] as const;
const NORMAL = { places: 20, meanMs: 10 } as const;

const limits = (parts: Partial<UpstreamSnapshot['limits']> = {}): UpstreamSnapshot['limits'] => ({
  maxConnections: 0,
  maxQueue: 0,
  maxIdle: 64,
  isAdaptive: true,
  ...parts,
});

/** Good answers of an endpoint as a worker enters them. */
function answer(bench: HealthBench, slot: number, ms: number, count: number, worker = 0): void {
  bench.region.doubles[bench.region.endpointSamples(worker, slot) + latencyBucketOf(ms)]! += count;
}

function adaptive(parts: Partial<UpstreamSnapshot['limits']> = {}): HealthBench {
  const bench = new HealthBench({ heartbeat: null });
  bench.apply({ limits: limits(parts) });
  return bench;
}

describe('an adaptive limit', () => {
  test('is found for each endpoint by itself, from the good answers of all workers', () => {
    const bench = adaptive();
    assert.deepEqual(
      [0, 1, 2].map((slot) => bench.word(slot, E_LIMIT)),
      [20, 20, 20],
    );
    for (const slot of [0, 1, 2]) bench.setWord(slot, E_INFLIGHT, 20);
    answer(bench, 1, 10, 30, 0);
    bench.clock.advance(1_000);
    assert.equal(bench.word(1, E_LIMIT), 20, '30 answers are too few for a window');
    answer(bench, 1, 10, 30, 1);
    bench.clock.advance(50);
    assert.deepEqual(
      [0, 1, 2].map((slot) => bench.word(slot, E_LIMIT) > 20),
      [false, true, false],
    );
  });

  test('evaluates the window after ten seconds: slow endpoints answer seldom', () => {
    const bench = adaptive();
    bench.setWord(0, E_INFLIGHT, 20);
    answer(bench, 0, 2_000, 7);
    bench.clock.advance(9_900);
    assert.equal(bench.word(0, E_LIMIT), 20);
    bench.clock.advance(200);
    assert.ok(bench.word(0, E_LIMIT) > 20);
  });

  test('never exceeds maxConnections', () => {
    const bench = adaptive({ maxConnections: 24 });
    for (let i = 0; i < 20; i++) {
      bench.setWord(0, E_INFLIGHT, bench.word(0, E_LIMIT));
      answer(bench, 0, 10, 100);
      bench.clock.advance(300);
    }
    assert.equal(bench.word(0, E_LIMIT), 24);
  });

  test('survives a reload, and gives way to a fixed one', () => {
    const bench = adaptive();
    bench.setWord(0, E_INFLIGHT, 20);
    answer(bench, 0, 10, 100);
    bench.clock.advance(300);
    const found = bench.word(0, E_LIMIT);
    assert.ok(found > 20);
    bench.apply();
    assert.equal(bench.word(0, E_LIMIT), found);
    bench.apply({ limits: limits({ isAdaptive: false, maxConnections: 7 }) });
    assert.equal(bench.word(0, E_LIMIT), 7);
    assert.equal(bench.clock.pendingCount, 0, 'nobody looks any more');
    bench.apply({ limits: limits() });
    assert.equal(bench.word(0, E_LIMIT), 20);
    bench.health.stop();
    assert.equal(bench.clock.pendingCount, 0);
  });

  test('is shown by the view, with the latencies behind it', () => {
    const bench = adaptive();
    bench.setWord(0, E_INFLIGHT, 20);
    answer(bench, 0, 9, 100);
    bench.clock.advance(300);
    const { limit } = bench.view(0);
    assert.equal(limit.inFlight, bench.word(0, E_LIMIT));
    assert.ok(Math.abs(limit.adaptive!.p50Ms - 9) < 2 && Math.abs(limit.adaptive!.baselineMs - 9) < 2);
    assert.deepEqual(new HealthBench({ heartbeat: null }).begin().view(0).limit, { inFlight: 0, adaptive: null });
  });
});

describe('a limit during a slow start', () => {
  /** Endpoint 0 goes down and comes back. */
  function returned(bench: HealthBench): HealthBench {
    bench.begin();
    bench.checker.results.set(0, REFUSED);
    while (bench.published(0) !== 'down') bench.clock.advance(10);
    bench.checker.results.set(0, PASSES);
    while (bench.published(0) === 'down') bench.clock.advance(10);
    return bench;
  }

  test('grows with the share, from a tenth to all of it', () => {
    const bench = new HealthBench({ slowStartMs: 10_000 });
    bench.upstream = { ...bench.upstream, limits: limits({ isAdaptive: false, maxConnections: 50 }) };
    returned(bench);
    assert.equal(bench.word(0, E_LIMIT), 5);
    bench.clock.advance(5_000);
    assert.ok(Math.abs(bench.word(0, E_LIMIT) - 25) <= 1, `${bench.word(0, E_LIMIT)}`);
    bench.clock.advance(5_000);
    assert.deepEqual(
      [0, 1, 2].map((slot) => bench.word(slot, E_LIMIT)),
      [50, 50, 50],
    );
  });

  test('is at least one, and none where none is configured', () => {
    const few = new HealthBench({ slowStartMs: 10_000 });
    few.upstream = { ...few.upstream, limits: limits({ isAdaptive: false, maxConnections: 3 }) };
    assert.equal(returned(few).word(0, E_LIMIT), 1);
    assert.equal(returned(new HealthBench({ slowStartMs: 10_000 })).word(0, E_LIMIT), 0);
  });

  test('is whole while no other endpoint is left, and after a reload goes on growing', () => {
    const bench = new HealthBench({ slowStartMs: 10_000, endpoints: 2 });
    bench.upstream = { ...bench.upstream, limits: limits({ isAdaptive: false, maxConnections: 50 }) };
    returned(bench).clock.advance(2_000);
    bench.health.setAdmin('api', '127.0.0.1:3001', 'drain', 'cli');
    assert.equal(bench.word(0, E_LIMIT), 50);
    bench.health.setAdmin('api', '127.0.0.1:3001', 'ready', 'cli');
    const during = bench.word(0, E_LIMIT);
    assert.ok(during >= 9 && during <= 11, `${during}`);
    bench.apply();
    assert.equal(bench.word(0, E_LIMIT), during);
  });

  test('is not adapted meanwhile', () => {
    const bench = new HealthBench({ slowStartMs: 10_000 });
    bench.upstream = { ...bench.upstream, limits: limits() };
    returned(bench);
    assert.equal(bench.word(0, E_LIMIT), 2);
    bench.setWord(0, E_INFLIGHT, 2);
    answer(bench, 0, 500, 1_000);
    bench.clock.advance(400);
    assert.equal(bench.view(0).limit.adaptive!.p50Ms, 0);
  });
});

describe('an endpoint of 20 places at 10 ms behind an adaptive limit', () => {
  test('is not held back at low and at normal load', () => {
    for (const seed of SEEDS) {
      for (const load of [0.1, 0.7]) {
        const { goodPerSecond, p99Ms } = new ConcurrencyModel(seed).play({ ...NORMAL, seconds: 15, load });
        assert.ok(goodPerSecond > 0.97 * 2_000 * load && p99Ms < 60, `${goodPerSecond} per second, p99 ${p99Ms} ms`);
      }
    }
  });

  test('has a limit near its capacity under one and a half and three times what it can serve, and serves it', () => {
    for (const seed of SEEDS) {
      for (const load of [1.5, 3]) {
        const model = new ConcurrencyModel(seed);
        model.play({ ...NORMAL, seconds: 5, load });
        const { goodPerSecond, meanLimit, most } = model.play({ ...NORMAL, seconds: 20, load });
        const words = `${goodPerSecond} per second at a limit of ${meanLimit}, at most ${most}`;
        assert.ok(goodPerSecond > 0.96 * 2_000, words);
        assert.ok(meanLimit > 20 && meanLimit < 40 && most < 60, words);
      }
    }
  });

  test('does not collapse where answers take twice as long and there is room for them: the limit follows', () => {
    for (const seed of SEEDS) {
      const model = new ConcurrencyModel(seed);
      model.play({ ...NORMAL, seconds: 10, load: 0.7 });
      const slower = { places: 40, meanMs: 20, load: 0.7 };
      const { goodPerSecond: atFirst } = model.play({ ...slower, seconds: 4 });
      assert.ok(atFirst > 0.75 * 1_400, `${atFirst} per second in the four seconds after the step`);
      const { goodPerSecond, limit, p99Ms } = model.play({ ...slower, seconds: 10 });
      assert.ok(goodPerSecond > 0.96 * 1_400 && limit >= 40 && p99Ms < 150, `${goodPerSecond} per second at ${limit}`);
    }
  });

  test('keeps serving what it can where its capacity falls to a quarter, and all of it when that is back', () => {
    for (const seed of SEEDS) {
      const model = new ConcurrencyModel(seed);
      model.play({ ...NORMAL, seconds: 10, load: 0.7 });
      const quarter = model.play({ ...NORMAL, places: 5, seconds: 10, load: 0.7 });
      const words = `${quarter.goodPerSecond} of 500 per second at ${quarter.meanLimit}`;
      assert.ok(quarter.goodPerSecond > 0.8 * 500 && quarter.meanLimit < 15, words);
      assert.ok(quarter.least >= 4);
      model.play({ ...NORMAL, seconds: 3, load: 0.7 });
      const back = model.play({ ...NORMAL, seconds: 5, load: 0.7 });
      assert.ok(back.goodPerSecond > 0.95 * 1_400 && back.p99Ms < 60, `${back.goodPerSecond} and ${back.p99Ms} ms`);
    }
  });

  test('finds its limit even where it has never been at rest', () => {
    for (const seed of SEEDS) {
      const model = new ConcurrencyModel(seed);
      model.play({ ...NORMAL, places: 5, seconds: 15, load: 0.7 });
      const later = model.play({ ...NORMAL, places: 5, seconds: 10, load: 0.7 });
      assert.ok(
        later.meanLimit < 15 && later.goodPerSecond > 0.85 * 500,
        `${later.goodPerSecond} at ${later.meanLimit}`,
      );
    }
  });

  test('is not deceived by answers that fail fast: they are no samples', () => {
    for (const seed of SEEDS) {
      const model = new ConcurrencyModel(seed);
      const { meanLimit } = model.play({ ...NORMAL, seconds: 15, load: 3, failing: 0.6 });
      const { meanLimit: without } = new ConcurrencyModel(seed).play({ ...NORMAL, seconds: 15, load: 3 });
      assert.ok(meanLimit < 2 * without, `${meanLimit} against ${without}`);
    }
  });

  test('is better off than with a limit of a thousand, which lets all requests die in its queue', () => {
    const fixed = new ConcurrencyModel(1, 1_000, false).play({ ...NORMAL, seconds: 10, load: 1.5 });
    const found = new ConcurrencyModel(1).play({ ...NORMAL, seconds: 10, load: 1.5 });
    assert.ok(found.p99Ms < fixed.p99Ms, `${found.p99Ms} against ${fixed.p99Ms} ms`);
  });
});
