// The comparison of one endpoint with the others. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findOutliers, type Tally } from '../../../../health/outlier/pooled-test.ts';

const SETTINGS = { minRequests: 100, minGap: 0.05, sigmas: 4 };

function tally(requests: number, failures: number): Tally {
  return { requests, failures };
}

function found(...tallies: Tally[]): number[] {
  return findOutliers(tallies, SETTINGS).map(({ index }) => index);
}

const GOOD = tally(1_000, 10);

describe('findOutliers', () => {
  test('finds the one that fails more often than the others', () => {
    assert.deepEqual(found(GOOD, tally(1_000, 500), GOOD, GOOD), [1]);
  });

  test('finds several, the worst first', () => {
    assert.deepEqual(found(tally(1_000, 300), GOOD, tally(1_000, 500), GOOD, GOOD), [2, 0]);
  });

  test('returns the figures of an outlier', () => {
    const [outlier] = findOutliers([GOOD, tally(400, 200)], SETTINGS);
    assert.deepEqual(outlier!.tally, tally(400, 200));
    assert.deepEqual(outlier!.others, GOOD);
    assert.ok(outlier!.sigmas > 20);
  });

  test('takes no notice of fewer requests than it needs', () => {
    assert.deepEqual(found(GOOD, tally(99, 99)), []);
    assert.deepEqual(found(GOOD, tally(100, 100)), [1]);
  });

  test('takes no notice of a gap that is certain, but small', () => {
    assert.deepEqual(found(tally(100_000, 0), tally(100_000, 4_900)), []);
    assert.deepEqual(found(tally(100_000, 0), tally(100_000, 5_100)), [1]);
  });

  test('takes no notice of a gap that is large, but may be chance', () => {
    assert.deepEqual(found(tally(100, 30), tally(100, 45)), []);
    assert.deepEqual(found(tally(1_000, 300), tally(1_000, 450)), [1]);
  });

  test('finds nothing if all are equally bad, or there is no other endpoint', () => {
    assert.deepEqual(found(tally(1_000, 900), tally(1_000, 900), tally(1_000, 900)), []);
    assert.deepEqual(found(tally(1_000, 1_000)), []);
    assert.deepEqual(found(tally(1_000, 1_000), tally(0, 0)), []);
    assert.deepEqual(found(), []);
    assert.deepEqual(found(tally(0, 0), tally(0, 0)), []);
  });

  test('holds a few good requests of the others for no proof', () => {
    assert.deepEqual(found(tally(100_000, 20_000), tally(15, 0)), []);
  });
});
