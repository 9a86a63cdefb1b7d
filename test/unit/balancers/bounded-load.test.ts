// Bounded load of consistent-hash: no endpoint far above the average, at the cost of keys away from home. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { release, reserve } from '../../../core/memory/reservation.ts';
import { mix32 } from '../../../core/murmur.ts';
import { seededRandom } from '../../../core/random.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';

const ENDPOINTS = 20;
const INFLIGHT = 200;
const REQUESTS = 40_000;
const AVERAGE = INFLIGHT / ENDPOINTS;

/** Ranks of a Zipf distribution with exponent 1 over `size` keys. */
function zipf(size: number, seed: number): () => number {
  const random = seededRandom(seed);
  let sum = 0;
  const ends = Float64Array.from({ length: size }, (_, rank) => (sum += 1 / (rank + 1)));
  return () => {
    const point = random.next() * sum;
    let low = 0;
    for (let high = size - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (ends[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Keeps 200 requests of popular keys in flight; greatest load over average, and the share away from home. */
function run(boundedLoad: number): { maxOverAverage: number; awayShare: number } {
  const weights = Array.from({ length: ENDPOINTS }, () => 1);
  const balancing = new Balancing({ balance: { ...BALANCES.hash, boundedLoad }, weights });
  const homes = new Balancing({ balance: BALANCES.hash, weights });
  const draw = zipf(100_000, 11);
  const random = seededRandom(12);
  const open: number[] = [];
  let most = 0;
  let away = 0;
  for (let i = 0; i < REQUESTS; i++) {
    if (open.length === INFLIGHT) {
      const leaving = Math.floor(random.next() * INFLIGHT);
      release(balancing.region, 0, open[leaving]!);
      open[leaving] = open.at(-1)!;
      open.pop();
    }
    const key = draw();
    for (const { request } of [balancing, homes]) {
      request.hash1 = mix32(key + 1);
      request.hash2 = mix32(key + 1_000_003);
    }
    const slot = balancing.pick(false);
    assert.ok(reserve(balancing.region, 0, slot));
    open.push(slot);
    if (i < INFLIGHT) continue;
    most = Math.max(most, balancing.inflight(slot));
    if (slot !== homes.pick(false)) away++;
  }
  return { maxOverAverage: most / AVERAGE, awayShare: away / (REQUESTS - INFLIGHT) };
}

test('without a bound popular keys pile up', () => {
  const { maxOverAverage, awayShare } = run(0);
  assert.ok(maxOverAverage > 2, `${maxOverAverage}`);
  assert.equal(awayShare, 0);
});

test('a bound of 1.25 holds exactly, and about a fifth of the requests leave home', () => {
  const { maxOverAverage, awayShare } = run(1.25);
  assert.ok(maxOverAverage <= Math.ceil(1.25 * AVERAGE) / AVERAGE, `${maxOverAverage}`);
  assert.ok(awayShare > 0.18 && awayShare < 0.26, `${awayShare}`);
});

test('a looser bound moves fewer', () => {
  const loose = run(2);
  assert.ok(loose.maxOverAverage <= 2, `${loose.maxOverAverage}`);
  assert.ok(loose.awayShare < run(1.25).awayShare / 2, `${loose.awayShare}`);
});

test('the bound follows the weights', () => {
  const balancing = new Balancing({ balance: BALANCES.boundedHash, weights: [1, 3] });
  balancing.setInflight(0, 5);
  balancing.setInflight(1, 10);
  // 16 with this one, times 1.25: 5 for the light endpoint, 15 for the heavy one.
  assert.deepEqual(balancing.shares(200), [0, 200]);
  balancing.setInflight(0, 4);
  balancing.setInflight(1, 15);
  // 20 with this one: 6.25 and 18.75, rounded up.
  assert.equal(balancing.shares(200).filter((share) => share > 0).length, 2);
});

test('a lone request goes home', () => {
  const balancing = new Balancing({ balance: BALANCES.boundedHash, weights: [1, 1, 1, 1] });
  const home = new Balancing({ balance: BALANCES.hash, weights: [1, 1, 1, 1] });
  for (let i = 0; i < 200; i++) assert.equal(balancing.pick(), home.pick());
});

test('a bound that only tried endpoints satisfy gives way', () => {
  const balancing = new Balancing({ balance: BALANCES.boundedHash, weights: [1, 1] });
  balancing.setInflight(0, 50);
  balancing.try(1);
  assert.equal(balancing.pick(), 0);
});
