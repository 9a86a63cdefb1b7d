// The bucket of any duration against the plain definition. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { LATENCY_BOUNDS_MS, latencyBucketOf } from '../../../../core/memory/lane-fields.ts';

test('the bucket of a duration is the first whose bound is at least the duration', () => {
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1e6, noNaN: true }), (ms) => {
      const first = LATENCY_BOUNDS_MS.findIndex((bound) => bound >= ms);
      assert.equal(latencyBucketOf(ms), first < 0 ? LATENCY_BOUNDS_MS.length : first);
    }),
    { seed: 606, numRuns: 2000 },
  );
});
