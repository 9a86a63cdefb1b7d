// The coarse histogram from fine buckets. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { LATENCY_BUCKETS, latencyBucketOf } from '../../../../core/memory/lane-fields.ts';
import { coarseHistogram } from '../../../../admin/metrics/metric-family.ts';

function bucketsOf(latencies: readonly number[]): Float64Array {
  const buckets = new Float64Array(LATENCY_BUCKETS);
  for (const ms of latencies) buckets[latencyBucketOf(ms)]! += 1;
  return buckets;
}

const latencies = fc.array(fc.double({ min: 0.1, max: 99_999, noNaN: true }), { minLength: 1, maxLength: 60 });

describe('the coarse histogram', () => {
  test('has 1, 2.5 and 5 of each decade from 100 microseconds to 100 seconds, and infinity', () => {
    const bounds = coarseHistogram(bucketsOf([])).map(({ leSeconds }) => leSeconds);
    const decades = [1e-4, 1e-3, 1e-2, 0.1, 1, 10].flatMap((decade) => [1, 2.5, 5].map((step) => step * decade));
    assert.deepEqual(
      bounds,
      [...decades, 100, Number.POSITIVE_INFINITY].map((bound) => Number(bound.toPrecision(3))),
    );
  });

  test('counts exactly what is not above each bound', () => {
    fc.assert(
      fc.property(latencies, (all) => {
        for (const { leSeconds, count } of coarseHistogram(bucketsOf(all))) {
          assert.equal(count, all.filter((ms) => ms <= leSeconds * 1000).length);
        }
      }),
      { seed: 21, numRuns: 300 },
    );
  });

  test('counts what took longer than all bounds in the last bucket', () => {
    const coarse = coarseHistogram(bucketsOf([200_000, 1]));
    assert.deepEqual(
      coarse.slice(-2).map(({ count }) => count),
      [1, 2],
    );
  });
});
