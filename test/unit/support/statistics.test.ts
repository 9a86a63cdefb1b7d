// The statistics of share tests, compared with known values. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binomialRegion, chiSquareProbability, quantile, upperGamma } from '../../support/statistics.ts';

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);
}

test('the region of ten fair coins excludes tails rarer than the significance', () => {
  // P(0) = 1/1024, P(0 or 1) = 11/1024.
  assert.deepEqual(binomialRegion(10, 0.5, 2 / 1024), { low: 1, high: 9 });
  assert.deepEqual(binomialRegion(10, 0.5, 21.9 / 1024), { low: 1, high: 9 });
  assert.deepEqual(binomialRegion(10, 0.5, 22.1 / 1024), { low: 2, high: 8 });
});

test('the region of many draws approximates the normal distribution', () => {
  const { low, high } = binomialRegion(1_000_000, 0.1, 1e-4);
  const sigma = Math.sqrt(1_000_000 * 0.1 * 0.9);
  assertNear(low, 100_000 - 3.8906 * sigma, 3);
  assertNear(high, 100_000 + 3.8906 * sigma, 3);
});

test('certain and impossible events have no spread', () => {
  assert.deepEqual(binomialRegion(50, 0), { low: 0, high: 0 });
  assert.deepEqual(binomialRegion(50, 1), { low: 50, high: 50 });
});

test('the incomplete gamma function has its known values', () => {
  assertNear(upperGamma(1, 2), Math.exp(-2), 1e-10);
  assertNear(upperGamma(1, 0.3), Math.exp(-0.3), 1e-10);
  // Critical values of chi-square from printed tables: df 10, 18.307 at 5 %; df 100, 149.449 at 0.1 %.
  assertNear(upperGamma(5, 18.307 / 2), 0.05, 1e-5);
  assertNear(upperGamma(50, 149.449 / 2), 0.001, 1e-6);
});

test('chi-square is one for exact counts and small for skewed ones', () => {
  assert.equal(chiSquareProbability([10, 20, 30], [1, 2, 3]), 1);
  // (20 - 15)^2 / 15 * 2 = 3.33 with one degree of freedom.
  assertNear(chiSquareProbability([20, 10], [1, 1]), 0.067_889, 1e-6);
});

test('a quantile is the nearest rank', () => {
  assert.equal(quantile([5, 1, 4, 2, 3], 0.5), 3);
  assert.equal(quantile([5, 1, 4, 2, 3], 0.99), 5);
});
