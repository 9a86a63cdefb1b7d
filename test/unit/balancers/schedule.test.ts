// The schedule of round robin: golden orders, and exact counts where a table would be too large. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleFor, SMOOTH_STEPS_MAX } from '../../../balancers/schedule.ts';

function orderOf(...weights: number[]): string {
  const schedule = scheduleFor(Float64Array.from(weights));
  return Array.from({ length: schedule.period }, (_, place) => 'ABCDE'[schedule.indexAt(place)]).join(' ');
}

test('weights {5, 1, 1} give the golden order of smooth weighted round robin', () => {
  assert.equal(orderOf(5, 1, 1), 'A A B A C A A');
});

test('other golden orders, worked out by hand', () => {
  assert.equal(orderOf(1), 'A');
  assert.equal(orderOf(1, 1, 1), 'A B C');
  assert.equal(orderOf(1, 2, 3), 'C B A C B C');
  assert.equal(orderOf(2, 1), 'A B A');
});

test('a common divisor shortens the period without changing the order', () => {
  assert.equal(orderOf(50, 10, 10), orderOf(5, 1, 1));
  assert.equal(orderOf(256, 256), 'A B');
});

test('where the table would be too large every endpoint still has exactly its weight of a period', () => {
  const weights = Float64Array.from({ length: 1000 }, (_, index) => 1 + ((index * 97) % 256));
  const schedule = scheduleFor(weights);
  assert.ok(schedule.period * weights.length > SMOOTH_STEPS_MAX);
  const counts = new Float64Array(1000);
  for (let place = 0; place < schedule.period; place++) counts[schedule.indexAt(place)]!++;
  assert.deepEqual(counts, weights);
});

test('where the table would be too large the places of a heavy endpoint are spread over the period', () => {
  const weights = new Float64Array(1000).fill(200);
  weights[0] = 10_007;
  const schedule = scheduleFor(weights);
  const places = Array.from({ length: schedule.period }, (_, place) => place);
  const heavy = places.filter((place) => schedule.indexAt(place) === 0);
  const gaps = heavy.map((place, nth) => (heavy[nth + 1] ?? schedule.period + heavy[0]!) - place);
  const even = schedule.period / weights[0]!;
  assert.ok(Math.max(...gaps) <= 3 * even, `longest gap ${Math.max(...gaps)}, even would be ${even}`);
});
