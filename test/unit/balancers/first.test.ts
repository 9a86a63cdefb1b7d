// Balancer first: one endpoint to its limit before the next. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BALANCES, Balancing } from '../../support/balancing.ts';
import { binomialRegion } from '../../support/statistics.ts';

const balance = BALANCES.first;

test('endpoints are filled to their limits one after the other, whatever their weights', () => {
  const balancing = new Balancing({ balance, weights: [1, 9, 5] });
  [2, 3, 0].forEach((limit, index) => balancing.setLimit(index, limit));
  const order = Array.from({ length: 7 }, () => {
    const index = balancing.pick();
    balancing.setInflight(index, balancing.inflight(index) + 1);
    return index;
  });
  assert.deepEqual(order, [0, 0, 1, 1, 1, 2, 2]);
});

test('a place that becomes free at an earlier endpoint is taken first', () => {
  const balancing = new Balancing({ balance, weights: [1, 1] });
  balancing.setLimit(0, 2);
  balancing.setInflight(0, 2);
  assert.equal(balancing.pick(), 1);
  balancing.setInflight(0, 1);
  assert.equal(balancing.pick(), 0);
});

test('without a limit the first usable endpoint gets everything', () => {
  const balancing = new Balancing({ balance, weights: [1, 1, 1] });
  balancing.setAvailability(0, 'down');
  assert.deepEqual(balancing.shares(30), [0, 30, 0]);
});

test('an endpoint with a part of its factor is passed over as often as the rest', () => {
  const balancing = new Balancing({ balance, weights: [1, 1] });
  balancing.setFactor(0, 0.1);
  const share = balancing.shares(10_000)[0]!;
  const { low, high } = binomialRegion(10_000, 0.1);
  assert.ok(share >= low && share <= high, `${share} in ${low}..${high}`);
});
