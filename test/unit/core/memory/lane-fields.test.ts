// The latency histogram of the lanes: its bounds and the bucket of a duration. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ENDPOINT_FIELD,
  ENDPOINT_FIELDS,
  LATENCY_BOUNDS_MS,
  LATENCY_BUCKETS,
  latencyBucketOf,
} from '../../../../core/memory/lane-fields.ts';

test('bounds ascend from 0.1 ms to 100 s, each within 30 % of the one before', () => {
  assert.equal(LATENCY_BOUNDS_MS[0], 0.1);
  assert.equal(LATENCY_BOUNDS_MS.at(-1), 100_000);
  LATENCY_BOUNDS_MS.slice(1).forEach((bound, index) => {
    const ratio = bound / LATENCY_BOUNDS_MS[index]!;
    assert.ok(ratio > 1 && ratio <= 1.3, `${LATENCY_BOUNDS_MS[index]} to ${bound}`);
  });
});

test('a duration falls into the first bucket whose bound is at least the duration', () => {
  LATENCY_BOUNDS_MS.forEach((bound, bucket) => {
    assert.equal(latencyBucketOf(bound), bucket, `${bound}`);
    assert.equal(latencyBucketOf(bound * 1.0001), bucket + 1, `just above ${bound}`);
    assert.equal(latencyBucketOf(bound * 0.9999), bucket, `just below ${bound}`);
  });
});

test('invalid durations fall into the first bucket, overlong ones into the last', () => {
  for (const ms of [0, -5, Number.NaN]) assert.equal(latencyBucketOf(ms), 0);
  for (const ms of [100_001, 1e12, Infinity]) assert.equal(latencyBucketOf(ms), LATENCY_BUCKETS - 1);
});

test('fields are indexed in order', () => {
  ENDPOINT_FIELDS.forEach((name, index) => assert.equal(ENDPOINT_FIELD[name], index));
});
