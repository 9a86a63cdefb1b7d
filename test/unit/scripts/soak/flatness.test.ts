// How a soak tells growth from noise.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../../core/random.ts';
import { isFlat, trendOf } from '../../../../scripts/soak/flatness.ts';

const random = seededRandom(5);
const series = (valueAt: (at: number) => number): number[] => Array.from({ length: 450 }, (_, at) => valueAt(at));

describe('a trend', () => {
  test('of a steady leak is its growth, under noise as large', () => {
    const { growth } = trendOf(
      series((at) => 100 + at / 45 + 10 * random.next()),
      0.5,
    );
    assert.ok(growth > 7 && growth < 12, String(growth));
  });

  test('of a collected heap is that of its floor', () => {
    const sawtooth = series((at) => 50 + 3 * (at % 15));
    assert.equal(trendOf(sawtooth, 0.1).growth, 0);
    const leaking = sawtooth.map((value, at) => value + at / 30);
    assert.ok(Math.abs(trendOf(leaking, 0.1).growth - 14) < 2, String(trendOf(leaking, 0.1).growth));
  });

  test('is not changed by a few outliers', () => {
    const bursts = series((at) => (at > 60 && at < 120 ? 500 : 40));
    const { start, growth } = trendOf(bursts, 0.5);
    assert.deepEqual([start, growth], [40, 0]);
  });

  test('is not computed from a few samples', () => {
    assert.throws(() => trendOf([1, 2, 3], 0.5), /3 samples/);
  });
});

describe('flat is', () => {
  const rising = [1, 2, 3, 4, 5, 6];

  test('growth below the permitted amount or fraction, whichever is more', () => {
    assert.equal(isFlat({ windows: rising, start: 100, growth: 7 }, 3, 0.08), true);
    assert.equal(isFlat({ windows: rising, start: 100, growth: 9 }, 3, 0.08), false);
    assert.equal(isFlat({ windows: rising, start: 10, growth: 2.9 }, 3, 0.08), true);
    assert.equal(isFlat({ windows: rising, start: 10, growth: -50 }, 3, 0.08), true);
  });

  test('growth that has levelled off', () => {
    assert.equal(isFlat({ windows: [10, 12, 30, 31, 29, 30], start: 10, growth: 20 }, 3, 0.08), true);
    assert.equal(isFlat({ windows: [10, 12, 30, 31, 33, 34], start: 10, growth: 20 }, 3, 0.08), false);
  });
});
