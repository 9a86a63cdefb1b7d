// In any sequence of events an endpoint is left to take requests, published state is known state, and healthy endpoints come
// back (docs/algorithms.md 3.5, Tests). Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { availabilityOf } from '../../../core/availability.ts';
import { E_WARM_START } from '../../../core/memory/layout.ts';
import { seededRandom } from '../../../core/random.ts';
import { HealthBench, OWN_TROUBLE, PASSES, REFUSED } from '../../support/health-bench.ts';

const RESULTS = { passes: PASSES, fails: REFUSED, hangs: null, unknown: OWN_TROUBLE } as const;

const stepArbitrary = fc.record({
  slot: fc.nat(4),
  what: fc.constantFrom(
    'cross',
    'suspect',
    'trialOk',
    'trialFails',
    'succeed',
    'reload',
    'workerGone',
    'heartbeat',
    'words',
    'traffic',
    'admin',
  ),
  result: fc.constantFrom(...(Object.keys(RESULTS) as (keyof typeof RESULTS)[])),
  words: fc.constantFrom('drain', 'maint', 'ready', '5%', '200%', 'down #x', 'up', 'up ready 100%'),
  admin: fc.constantFrom('ready', 'ready', 'drain', 'maintenance'),
  signal: fc.constantFrom('connect', 'gateway', 'timeout'),
  waitMs: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(3_000), fc.nat(30_000)),
});
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never;

const scriptArbitrary = fc.record({
  endpoints: fc.constantFrom(1, 2, 2, 3, 3, 4, 5),
  heartbeat: fc.constantFrom({ kind: 'http' }, { kind: 'http', acceptsAgentFeedback: true }, { kind: 'tcp' }, null),
  slowStartMs: fc.constantFrom(0, 0, 5_000, 60_000),
  maxEjectedPercent: fc.constantFrom(0, 10, 50, 50, 100),
  latencyMs: fc.constantFrom(0, 3, 700),
  steps: fc.array(stepArbitrary, { minLength: 10, maxLength: 60, size: 'max' }),
} as const);

const OUTLIERS = { intervalMs: 10_000, minRequests: 100, minGap: 0.05, sigmas: 4 };

function play(bench: HealthBench, { slot: anySlot, what, result, words, admin, signal }: Step): void {
  const slot = anySlot % bench.upstream.endpoints.length;
  if (what === 'cross') bench.cross(slot, signal);
  else if (what === 'suspect') bench.suspect(slot, signal);
  else if (what === 'trialOk') bench.trial(slot, true);
  else if (what === 'trialFails') bench.trial(slot, false);
  else if (what === 'succeed') bench.succeed(slot);
  else if (what === 'reload') bench.apply();
  else if (what === 'workerGone') bench.health.onWorkerGone(0);
  else if (what === 'heartbeat') bench.checker.results.set(slot, RESULTS[result]);
  else if (what === 'words') bench.checker.results.set(slot, { ...PASSES, agentWords: words });
  else if (what === 'traffic')
    for (const one of bench.upstream.endpoints) bench.traffic(one.slot, 200, one.slot === slot ? 200 : 0);
  else bench.health.setAdmin('api', bench.endpoint(slot).id, admin, 'a test');
}

/** Invariants of every moment. */
function assertSafe(bench: HealthBench, maxEjectedPercent: number): void {
  const views = bench.health.endpoints();
  for (const { slot, availability, axes, ejectionsInRow, share, warming } of views) {
    assert.equal(availability, availabilityOf(axes));
    assert.equal(bench.published(slot), availability);
    assert.ok(ejectionsInRow <= 30);
    assert.ok(share >= 0.01 && share <= 2 && Math.abs(bench.share(slot) - share) < 1e-4, `${share}`);
    const isAlone = views.every((other) => other.slot === slot || !['up', 'suspect'].includes(other.availability));
    if (isAlone) assert.equal(share, 1, 'nobody else could take the rest');
    assert.equal(warming !== null, bench.word(slot, E_WARM_START) !== 0);
  }
  const someoneCould = views.some(({ axes }) => axes.admin === 'ready' && axes.check !== 'down');
  assert.equal(bench.isAllDown, !someoneCould, 'ejections alone never empty an upstream');
  if (maxEjectedPercent === 0) assert.ok(views.every(({ axes }) => axes.outlier !== 'ejected'));
}

/** 15 good minutes: heartbeats pass, endpoints are content, and live requests try what is half-open. */
function recover(bench: HealthBench): void {
  for (const { slot } of bench.upstream.endpoints)
    bench.checker.results.set(slot, { ...PASSES, agentWords: 'up ready' });
  bench.checker.latencyMs = 3;
  for (const { name } of bench.upstream.endpoints) bench.health.setAdmin('api', name, 'ready', 'a test');
  for (let second = 0; second < 900; second++) {
    bench.clock.advance(1_000);
    for (const { slot } of bench.upstream.endpoints) {
      if (bench.published(slot) === 'halfOpen') bench.trial(slot, true);
    }
  }
}

describe('HealthService, whatever happens', () => {
  test('is safe at every moment, and every healthy endpoint is up after 15 minutes, with its whole weight', () => {
    fc.assert(
      fc.property(scriptArbitrary, ({ maxEjectedPercent, latencyMs, steps, ...options }) => {
        const bench = new HealthBench({ ...options, passive: { maxEjectedPercent, outliers: OUTLIERS } });
        bench.checker.latencyMs = latencyMs;
        bench.begin();
        for (const step of steps) {
          const { epoch } = bench;
          const before = bench.allPublished();
          play(bench, step);
          assertSafe(bench, maxEjectedPercent);
          bench.clock.advance(step.waitMs);
          assertSafe(bench, maxEjectedPercent);
          if (bench.allPublished().join() !== before.join()) assert.ok(bench.epoch > epoch);
        }
        recover(bench);
        assert.ok(bench.allPublished().every((availability) => availability === 'up'));
        assert.ok(bench.upstream.endpoints.every(({ slot }) => bench.share(slot) === 1));
        bench.health.stop();
        bench.clock.advance(1_000);
        assert.equal(bench.clock.pendingCount, 0);
      }),
      { seed: 42, numRuns: 400 },
    );
  });

  test('no two heartbeats of an endpoint overlap', () => {
    fc.assert(
      fc.property(scriptArbitrary, ({ endpoints, latencyMs, steps }) => {
        const bench = new HealthBench({ endpoints });
        bench.checker.latencyMs = latencyMs;
        bench.begin();
        for (const step of steps) {
          play(bench, step);
          if (step.what === 'suspect') bench.health.checkNow(step.slot);
          bench.clock.advance(step.waitMs);
          for (const count of bench.checker.running.values()) assert.ok(count <= 1);
        }
      }),
      { seed: 43, numRuns: 100 },
    );
  });
});

describe('heartbeats that fail at random', () => {
  for (const [p, fall] of [
    [0.3, 3],
    [0.5, 2],
  ] as const) {
    test(`take a healthy endpoint down after (1-p^F)/((1-p)p^F) checks: p ${p}, F ${fall}`, () => {
      const bench = new HealthBench({ endpoints: 1, heartbeat: { rise: 1, fall } });
      const random = seededRandom(11);
      const lengths: number[] = [];
      let upAt = 0;
      const results = { get: () => (random.next() < p ? REFUSED : PASSES), has: () => true };
      Object.assign(bench.checker, { results });
      bench.apply();
      bench.health.events.subscribe(({ axis, from, to }) => {
        const { checks } = bench.view(0).counters;
        if (axis !== 'check') return;
        if (to === 'down' && from === 'up') lengths.push(checks - upAt);
        if (to === 'up') upAt = checks;
      });
      while (lengths.length < 2_000) bench.clock.advance(10_000);
      const mean = lengths.reduce((sum, one) => sum + one, 0) / lengths.length;
      const expected = (1 - p ** fall) / ((1 - p) * p ** fall);
      // The length is close to geometric, so its deviation close to its mean: four standard errors.
      assert.ok(Math.abs(mean - expected) < (4 * expected) / Math.sqrt(lengths.length), `${mean} against ${expected}`);
    });
  }
});
