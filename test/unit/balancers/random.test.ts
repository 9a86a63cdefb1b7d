// Balancer random: exact proportions, also past busy endpoints, and the better of two. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BALANCES, Balancing } from '../../support/balancing.ts';
import { ALPHA, binomialRegion, chiSquareProbability } from '../../support/statistics.ts';

const PICKS = 60_000;

test('shares are those of the weights', () => {
  const weights = [1, 2, 3, 50, 7, 1];
  const shares = new Balancing({ balance: BALANCES.random, weights, seed: 3 }).shares(PICKS);
  const probability = chiSquareProbability(shares, weights);
  assert.ok(probability > ALPHA, `p = ${probability}`);
});

test('shares are those of weights times factors', () => {
  const balancing = new Balancing({ balance: BALANCES.random, weights: [1, 2, 3, 4], seed: 4 });
  balancing.setFactor(1, 0.25);
  balancing.setFactor(3, 0.0625);
  const probability = chiSquareProbability(balancing.shares(PICKS), [1, 0.5, 3, 0.25]);
  assert.ok(probability > ALPHA, `p = ${probability}`);
});

test('a busy heavy endpoint leaves the others their proportions', () => {
  const balancing = new Balancing({ balance: BALANCES.random, weights: [200, 1, 2, 3], seed: 5 });
  balancing.setLimit(0, 1);
  balancing.setInflight(0, 1);
  balancing.setFactor(3, 0.5);
  const shares = balancing.shares(PICKS);
  assert.equal(shares[0], 0);
  const probability = chiSquareProbability(shares.slice(1), [1, 2, 1.5]);
  assert.ok(probability > ALPHA, `p = ${probability}`);
});

test('of two choices the one with fewer requests per weight is taken', () => {
  const balancing = new Balancing({ balance: BALANCES.randomTwo, weights: [1, 3] });
  [2, 5].forEach((inflight, index) => balancing.setInflight(index, inflight));
  assert.deepEqual(balancing.shares(50), [0, 50]);
  [1, 5].forEach((inflight, index) => balancing.setInflight(index, inflight));
  assert.deepEqual(balancing.shares(50), [50, 0]);
});

test('of two idle choices the first drawn is taken, so that idle shares are those of the weights', () => {
  const { low, high } = binomialRegion(PICKS, 0.75);
  const heavy = new Balancing({ balance: BALANCES.randomTwo, weights: [1, 3], seed: 6 }).shares(PICKS)[1]!;
  assert.ok(heavy >= low && heavy <= high, `${heavy} in ${low}..${high}`);
});

test('two choices are two different endpoints: the most loaded one is never taken', () => {
  const balancing = new Balancing({ balance: BALANCES.randomTwo, weights: [100, 1, 1] });
  balancing.setInflight(0, 500);
  assert.equal(balancing.shares(300)[0], 0);
});
