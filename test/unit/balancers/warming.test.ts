// Slow start as balancers see it: what share of the requests an endpoint gets while its own share grows. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { release, reserve } from '../../../core/memory/reservation.ts';
import { seededRandom } from '../../../core/random.ts';
import type { BalanceSnapshot } from '../../../core/snapshot/upstream.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';
import { binomialRegion } from '../../support/statistics.ts';

const REQUESTS = 10_000;
const MEAN_MS = 10;

interface Load {
  readonly balance: BalanceSnapshot;
  /** Share of its weight that the first of three endpoints carries. */
  readonly factor: number;
  /** Requests in flight at all three together, on average. */
  readonly busy: number;
  /** How many times slower the first one is. */
  readonly slowness?: number;
}

/** Poisson arrivals, exponential times; what the warming endpoint got, and the most that it had at a time. */
function play({ balance, factor, busy, slowness = 1 }: Load): { got: number; most: number } {
  const balancing = new Balancing({ balance, weights: [1, 1, 1], seed: 3 });
  const { region, request } = balancing;
  balancing.setFactor(0, factor);
  balancing.setWarming(0, true);
  const random = seededRandom(8);
  const drawMs = (meanMs: number): number => -Math.log(1 - random.next()) * meanMs;
  let running: { readonly slot: number; readonly beganMs: number; readonly endMs: number }[] = [];
  let got = 0;
  let most = 0;
  for (let i = 0; i < REQUESTS; i++) {
    request.nowMs += drawMs(MEAN_MS / busy);
    for (const { slot, beganMs, endMs } of running.filter(({ endMs: at }) => at <= request.nowMs)) {
      release(region, 0, slot);
      balancing.observer?.answered(slot, endMs - beganMs, endMs);
    }
    running = running.filter(({ endMs }) => endMs > request.nowMs);
    const slot = balancing.pick();
    reserve(region, 0, slot);
    const endMs = request.nowMs + drawMs(MEAN_MS) * (slot === 0 ? slowness : 1);
    running.push({ slot, beganMs: request.nowMs, endMs });
    if (slot === 0) got++;
    most = Math.max(most, balancing.inflight(0));
  }
  return { got, most };
}

/** Balancers whose share doesn't depend on the load; hashing gives f/N (docs/algorithms.md 1.6), `first` gives f. */
const EXACT: readonly (readonly [name: keyof typeof BALANCES, expected: (factor: number) => number])[] = [
  ['leastRequest', (factor) => factor / (2 + factor)],
  ['peakEwma', (factor) => factor / (2 + factor)],
  ['roundRobin', (factor) => factor / (2 + factor)],
  ['random', (factor) => factor / (2 + factor)],
  ['hash', (factor) => factor / 3],
  ['first', (factor) => factor],
];

describe('an endpoint that warms up', () => {
  for (const [name, expected] of EXACT) {
    test(`gets its share of few requests with ${name}, from the first step of the ramp to the last`, () => {
      for (const factor of [0.1, 0.3, 0.5, 0.7]) {
        const { low, high } = binomialRegion(REQUESTS, expected(factor));
        const { got } = play({ balance: BALANCES[name], factor, busy: 0.1 });
        assert.ok(got >= low && got <= high, `${got} of ${REQUESTS} at ${factor}: expected ${low} to ${high}`);
      }
    });
  }

  for (const name of Object.keys(BALANCES) as (keyof typeof BALANCES)[]) {
    if (name === 'first') continue;
    test(`gets about its share with ${name} however many requests run, and never much more`, () => {
      for (const busy of [2, 12, 60]) {
        for (const factor of [0.1, 0.5, 0.9]) {
          const share: number = play({ balance: BALANCES[name], factor, busy }).got / REQUESTS;
          const fair = factor / (2 + factor);
          const words = `${share} at ${factor} with ${busy} in flight, not ${fair}`;
          assert.ok(share > 0.55 * fair && share < fair + 0.08, words);
        }
      }
    });
  }

  test('gets fewer where it is slower than its ramp supposes: no more in flight than another has', () => {
    for (const name of ['leastRequest', 'peakEwma'] as const) {
      const healthy = play({ balance: BALANCES[name], factor: 0.9, busy: 12 });
      const slow = play({ balance: BALANCES[name], factor: 0.9, busy: 12, slowness: 8 });
      assert.ok(slow.got < healthy.got / 3, `${slow.got} against ${healthy.got}`);
      assert.ok(slow.most <= healthy.most + 5, `${slow.most} against ${healthy.most}`);
    }
  });
});

describe('least-request with an endpoint that warms up', () => {
  const balance = BALANCES.leastRequest;
  const warmed = (weights: readonly number[]): Balancing => {
    const balancing = new Balancing({ balance, weights });
    balancing.setFactor(0, 0.1);
    balancing.setWarming(0, true);
    return balancing;
  };

  test('compares all again at the end of the slow start, though no epoch moves', () => {
    const balancing = warmed([1, 1]);
    balancing.setFactor(0, 1);
    balancing.setWarming(0, false);
    assert.deepEqual(balancing.shares(100), [50, 50]);
  });

  test('compares the others among themselves', () => {
    const balancing = warmed([1, 1, 1]);
    balancing.setInflight(1, 5);
    assert.equal(balancing.shares(1000)[1], 0);
  });

  test('gives it all requests that no other endpoint can take', () => {
    const balancing = warmed([1, 1]);
    balancing.setLimit(1, 1);
    balancing.setInflight(1, 1);
    assert.deepEqual(balancing.shares(20), [20, 0]);
  });

  test('skips it for requests that tried it already, or if it has no room', () => {
    const tried = warmed([1, 1]);
    tried.try(0);
    assert.deepEqual(tried.shares(200), [0, 200]);
    const full = warmed([1, 1]);
    full.setLimit(0, 1);
    full.setInflight(0, 1);
    full.setInflight(1, 20);
    assert.deepEqual(full.shares(200), [0, 200]);
  });

  test('counts its weight: twice the weight, twice the share', () => {
    const balancing = warmed([2, 1, 1]);
    const { low, high } = binomialRegion(20_000, 0.2 / 2.2);
    const got = balancing.shares(20_000)[0]!;
    assert.ok(got >= low && got <= high, `${got}, not ${low} to ${high}`);
  });

  test('follows their factors where all warm up together', () => {
    const balancing = new Balancing({ balance, weights: [1, 1] });
    for (const index of [0, 1]) balancing.setWarming(index, true);
    balancing.setFactor(0, 0.5);
    balancing.setFactor(1, 0.25);
    assert.deepEqual(balancing.shares(30, true), [20, 10]);
  });

  test('does so among more endpoints than it scans', () => {
    const weights = Array.from({ length: 300 }, () => 1);
    const balancing = warmed(weights);
    balancing.setFactor(0, 0.5);
    const { low, high } = binomialRegion(60_000, 0.5 / 299.5);
    const got = balancing.shares(60_000)[0]!;
    assert.ok(got >= low && got <= high, `${got}, not ${low} to ${high}`);
  });
});
