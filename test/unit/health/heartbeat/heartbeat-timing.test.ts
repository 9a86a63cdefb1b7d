// Spread, intervals and jitter of heartbeats. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../../core/random.ts';
import { firstDelayMs, intervalMs, jittered } from '../../../../health/heartbeat/heartbeat-timing.ts';
import { HEARTBEAT } from '../../../support/health-bench.ts';

/** Largest distance between the samples' distribution and the uniform one on [low, high] (Kolmogorov, Smirnov). */
function distanceFromUniform(samples: readonly number[], low: number, high: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const n = sorted.length;
  return sorted.reduce((worst, sample, index) => {
    const share = (sample - low) / (high - low);
    return Math.max(worst, Math.abs(share - index / n), Math.abs((index + 1) / n - share));
  }, 0);
}

describe('the jitter', () => {
  test('is uniform within a tenth either way (KS, n = 10,000, alpha 1e-3)', () => {
    const random = seededRandom(7);
    const samples = Array.from({ length: 10_000 }, () => jittered(2_000, random));
    assert.ok(Math.min(...samples) >= 1_800 && Math.max(...samples) <= 2_200);
    // 1.949 / sqrt(n): the critical value for alpha = 1e-3.
    assert.ok(distanceFromUniform(samples, 1_800, 2_200) < 1.949 / Math.sqrt(samples.length));
  });
});

describe('the first heartbeat', () => {
  const delays = Array.from({ length: 1_000 }, (_, i) => firstDelayMs(`api/10.0.${i >> 8}.${i & 255}:80`, HEARTBEAT));

  test('comes within the interval, and within 2 s', () => {
    assert.ok(delays.every((ms) => ms >= 0 && ms < 2_000));
    assert.ok(firstDelayMs('api/x:1', { ...HEARTBEAT, intervalMs: 60_000 }) < 2_000);
    assert.ok(firstDelayMs('api/x:1', { ...HEARTBEAT, intervalMs: 300 }) < 300);
    assert.equal(firstDelayMs('api/x:1', { ...HEARTBEAT, intervalMs: 1 }), 0);
  });

  test('of an endpoint comes at the same time in every run', () => {
    assert.equal(firstDelayMs('api/10.0.0.1:80', HEARTBEAT), firstDelayMs('api/10.0.0.1:80', HEARTBEAT));
  });

  test('of 1,000 endpoints: no window of 10 ms holds more than three times the mean', () => {
    const sorted = delays.toSorted((a, b) => a - b);
    const mean = 1_000 / (2_000 / 10);
    const most = Math.max(...sorted.map((from, i) => sorted.slice(i).filter((ms) => ms < from + 10).length));
    assert.ok(most <= 3 * mean, `${most} in one window`);
  });
});

test('the interval follows the choice', () => {
  const intervals = (['normal', 'fast', 'backedOff', 'none'] as const).map((choice) => intervalMs(HEARTBEAT, choice));
  assert.deepEqual(intervals, [2_000, 500, 5_000, Number.POSITIVE_INFINITY]);
});
