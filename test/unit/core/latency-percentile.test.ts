// Percentiles from fine buckets. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { percentileMs } from '../../../core/latency-percentile.ts';
import { LATENCY_BUCKETS, latencyBucketOf } from '../../../core/memory/lane-fields.ts';

function bucketsOf(latencies: readonly number[]): Float64Array {
  const buckets = new Float64Array(LATENCY_BUCKETS);
  for (const ms of latencies) buckets[latencyBucketOf(ms)]! += 1;
  return buckets;
}

const latencies = fc.array(fc.double({ min: 0.1, max: 99_999, noNaN: true }), { minLength: 1, maxLength: 60 });

describe('a percentile', () => {
  test('is null without observations', () => {
    assert.equal(percentileMs(bucketsOf([]), 0.99), null);
  });

  test('is within 26 % of the exact value', () => {
    fc.assert(
      fc.property(latencies, fc.constantFrom(0.5, 0.9, 0.99, 1), (all, share) => {
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
        const estimate = percentileMs(bucketsOf(all), share)!;
        assert.ok(estimate <= exact * 1.281 && exact <= estimate * 1.281, `${estimate} for ${exact}`);
      }),
      { seed: 22, numRuns: 500 },
    );
  });

  test('never falls as the share grows, and stays below the largest bound', () => {
    fc.assert(
      fc.property(latencies, (all) => {
        const buckets = bucketsOf([...all, 500_000]);
        const estimates = [0.01, 0.25, 0.5, 0.75, 0.99, 1].map((share) => percentileMs(buckets, share)!);
        assert.deepEqual(
          estimates,
          estimates.toSorted((a, b) => a - b),
        );
        assert.ok(estimates.at(-1)! <= 100_000);
      }),
      { seed: 23, numRuns: 200 },
    );
  });
});
