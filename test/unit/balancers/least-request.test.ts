// Balancer least-request: exact loads, rotating ties, weights as capacity, sampling in large upstreams. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reserve } from '../../../core/memory/reservation.ts';
import { BALANCES, Balancing, testRegion } from '../../support/balancing.ts';
import { chiSquareProbability } from '../../support/statistics.ts';

const balance = BALANCES.leastRequest;
const equal = (count: number) => Array.from({ length: count }, () => 1);

test('the endpoint with the fewest requests in flight is picked', () => {
  const balancing = new Balancing({ balance, weights: [1, 1, 1] });
  [4, 2, 3].forEach((inflight, index) => balancing.setInflight(index, inflight));
  assert.deepEqual(balancing.shares(10), [0, 10, 0]);
});

test('equals are picked in turn: each once in as many picks as there are equals', () => {
  for (const size of [1, 2, 3, 4, 5, 6, 10, 12, 60, 255, 256]) {
    const balancing = new Balancing({ balance, weights: equal(size), seed: size });
    for (let round = 0; round < 3; round++) assert.deepEqual(balancing.shares(size), equal(size), `of ${size}`);
  }
});

test('workers begin at different endpoints', () => {
  const firsts = Array.from({ length: 32 }, (_, seed) => new Balancing({ balance, weights: equal(10), seed }).pick());
  assert.ok(new Set(firsts).size >= 5, firsts.join());
});

test('a weight is a capacity: a ten times heavier endpoint takes ten before a light one gets its first', () => {
  const balancing = new Balancing({ balance, weights: [10, 1] });
  assert.deepEqual(balancing.shares(9, true), [9, 0]);
  assert.deepEqual(balancing.shares(2, true), [1, 1]);
});

test('loads that are equal as fractions tie exactly', () => {
  // 1/49 + 1/49 + ... is not 1 in binary fractions; (48 + 1) / 49 is.
  const balancing = new Balancing({ balance, weights: [49, 1] });
  balancing.setInflight(0, 48);
  assert.deepEqual(balancing.shares(20), [10, 10]);
});

test('a factor divides the capacity', () => {
  const balancing = new Balancing({ balance, weights: [4, 4] });
  balancing.setFactor(0, 0.25);
  balancing.setInflight(1, 2);
  assert.equal(balancing.pick(), 1);
  balancing.setInflight(1, 4);
  assert.equal(balancing.pick(), 0);
});

test('requests of other workers count', () => {
  const region = testRegion();
  const mine = new Balancing({ balance, weights: [1, 1], region, worker: 0 });
  for (let i = 0; i < 3; i++) reserve(region, 1, 0);
  assert.deepEqual(mine.shares(6), [0, 6]);
});

test('above 256 endpoints draws by weight spread requests that pile up', () => {
  const weights = Array.from({ length: 300 }, (_, index) => 1 + (index % 3));
  const balancing = new Balancing({ balance, weights });
  const shares = balancing.shares(30_000, true);
  // Best of three is more even than chance: the statistic lies far in the lower tail, and loads per weight are near.
  assert.ok(chiSquareProbability(shares, weights) > 0.9999);
  const loads = shares.map((share, index) => share / weights[index]!);
  assert.ok(Math.max(...loads) - Math.min(...loads) <= 4, `${Math.min(...loads)} to ${Math.max(...loads)}`);
});

test('above 256 endpoints the only free one is found', () => {
  const balancing = new Balancing({ balance, weights: equal(400) });
  for (let index = 0; index < 400; index++) {
    if (index === 377) continue;
    balancing.setLimit(index, 1);
    balancing.setInflight(index, 1);
  }
  assert.equal(balancing.shares(50)[377], 50);
});
