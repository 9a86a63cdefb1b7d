// Balancer peak-ewma: the moving average, its decay, seed, floor and penalties. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { E_EWMA_COST, E_EWMA_STAMP } from '../../../core/memory/layout.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';

const balance = BALANCES.peakEwma;
const DECAY_MS = balance.decayMs;

function setUp(count: number): Balancing {
  return new Balancing({ balance, weights: Array.from({ length: count }, () => 1) });
}

function costOf(balancing: Balancing, slot: number): number {
  return balancing.region.doubles[balancing.region.endpointWord(slot) / 2 + E_EWMA_COST]!;
}

function stampOf(balancing: Balancing, slot: number): number {
  return balancing.region.doubles[balancing.region.endpointWord(slot) / 2 + E_EWMA_STAMP]!;
}

test('the first answer is the cost', () => {
  const balancing = setUp(1);
  balancing.observer!.answered(0, 12, 5000);
  assert.equal(costOf(balancing, 0), 12);
  assert.equal(stampOf(balancing, 0), 5000);
});

test('a slower answer counts in full at once, a faster one by how long ago the last was', () => {
  const balancing = setUp(1);
  balancing.observer!.answered(0, 10, 0);
  balancing.observer!.answered(0, 50, 1);
  assert.equal(costOf(balancing, 0), 50);
  balancing.observer!.answered(0, 10, 1 + DECAY_MS);
  assert.ok(Math.abs(costOf(balancing, 0) - (50 / Math.E + 10 * (1 - 1 / Math.E))) < 1e-9);
  balancing.observer!.answered(0, 0, 1 + DECAY_MS);
  assert.ok(Math.abs(costOf(balancing, 0) - (50 / Math.E + 10 * (1 - 1 / Math.E))) < 1e-9, 'no time, no change');
});

test('an answer whose stamp is behind the last one never sets the clock back', () => {
  const balancing = setUp(1);
  balancing.observer!.answered(0, 10, 9000);
  balancing.observer!.answered(0, 5, 8000);
  assert.equal(stampOf(balancing, 0), 9000);
  assert.equal(costOf(balancing, 0), 10);
});

test('the endpoint with the least cost times requests is picked', () => {
  const balancing = setUp(2);
  balancing.observer!.answered(0, 10, 0);
  balancing.observer!.answered(1, 35, 0);
  assert.deepEqual(balancing.shares(3, true), [3, 0], '10, 20 and 30 against 35');
  assert.equal(balancing.pick(), 1, '40 against 35');
});

test('an idle endpoint becomes attractive again as its cost decays', () => {
  const balancing = setUp(2);
  balancing.observer!.answered(0, 100, 0);
  balancing.observer!.answered(1, 20, 0);
  assert.equal(balancing.pick(), 1);
  balancing.request.nowMs = DECAY_MS;
  balancing.observer!.answered(1, 20, DECAY_MS);
  assert.equal(balancing.pick(), 1, '36.8 against 20');
  balancing.request.nowMs = 2 * DECAY_MS;
  balancing.observer!.answered(1, 20, 2 * DECAY_MS);
  assert.equal(balancing.pick(), 0, '13.5 against 20');
});

test('without any history it is least-request', () => {
  const balancing = setUp(3);
  assert.deepEqual(balancing.shares(30, true), [10, 10, 10]);
});

test('an endpoint without history is taken for the median of the others', () => {
  const balancing = setUp(4);
  [100, 400, 900].forEach((ms, slot) => balancing.observer!.answered(slot, ms, 0));
  balancing.moveEpoch();
  assert.deepEqual(balancing.shares(3, true), [3, 0, 0, 0], '100, 200 and 300 against 400');
  assert.deepEqual(balancing.shares(3, true), [1, 1, 0, 1], '400 thrice');
});

test('costs that decayed to nothing do not let one endpoint take a whole burst', () => {
  const balancing = setUp(2);
  balancing.observer!.answered(0, 10, 0);
  balancing.observer!.answered(1, 10, 60_000);
  balancing.request.nowMs = 300_000;
  assert.deepEqual(balancing.shares(20, true), [10, 10]);
});

test('a fast failure costs the penalty, a slow one its time', () => {
  const balancing = setUp(2);
  balancing.observer!.failed(0, 1, 0);
  assert.equal(costOf(balancing, 0), 1000);
  balancing.observer!.failed(1, 4000, 0);
  assert.equal(costOf(balancing, 1), 4000);
});

test('a refusal for overload costs its Retry-After, at most 10 s; without one, as much as an error', () => {
  const balancing = setUp(3);
  balancing.observer!.overloaded(0, 1, 3000, 0);
  balancing.observer!.overloaded(1, 1, 120_000, 0);
  balancing.observer!.overloaded(2, 1, 0, 0);
  assert.deepEqual(
    [0, 1, 2].map((slot) => costOf(balancing, slot)),
    [3000, 10_000, balance.errorPenaltyMs],
  );
});

test('an endpoint that fails fast is avoided until the penalty has decayed', () => {
  const balancing = setUp(2);
  balancing.observer!.answered(1, 20, 0);
  balancing.observer!.failed(0, 1, 0);
  assert.deepEqual(balancing.shares(49, true), [0, 49]);
  balancing.setInflight(1, 0);
  balancing.request.nowMs = 5 * DECAY_MS;
  balancing.observer!.answered(1, 20, 5 * DECAY_MS);
  assert.equal(balancing.pick(), 0, '1000 / e^5 = 6.7 against 20');
});
