// Writers of a worker's lanes: separate blocks, histograms by bucket, levels reset at a restart. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  ENDPOINT_FIELD,
  ENDPOINT_FIELDS,
  LATENCY_BOUNDS_MS,
  LATENCY_BUCKETS,
  latencyBucketOf,
  LISTENER_FIELD,
  UPSTREAM_FIELD,
} from '../../../../core/memory/lane-fields.ts';
import { Region } from '../../../../core/memory/region.ts';
import { clearLevels, WorkerLanes } from '../../../../proxy/account/lane.ts';

const CAPACITY = { endpoints: 3, upstreams: 2, workers: 2, listeners: 2 };

/** The expected result of `latencyBucketOf`, by linear search. */
function linearBucketOf(ms: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
  return index === -1 ? LATENCY_BUCKETS - 1 : index;
}

describe('the latency bucket', () => {
  test('is the first whose bound is not below the latency', () => {
    const anyMs = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.double({ min: 0, max: 2, noNaN: true }));
    fc.assert(
      fc.property(anyMs, (ms) => assert.equal(latencyBucketOf(ms), linearBucketOf(ms))),
      { seed: 7, numRuns: 5000 },
    );
  });

  test('is exact on every bound and right beside it', () => {
    for (const bound of LATENCY_BOUNDS_MS) {
      for (const ms of [bound, bound * (1 - 1e-12), bound * (1 + 1e-12)]) {
        assert.equal(latencyBucketOf(ms), linearBucketOf(ms), `${ms} ms`);
      }
    }
  });
});

describe('lanes', () => {
  test('give every field of every block a word of its own', () => {
    const region = Region.allocate(CAPACITY, 0);
    const before = [...region.doubles];
    let adds = 0;
    for (const worker of [0, 1]) {
      const lanes = new WorkerLanes(region, worker);
      for (const slot of [0, 1, 2]) {
        for (const field of Object.values(ENDPOINT_FIELD)) lanes.endpoint(slot).add(field, ++adds);
      }
      for (const index of [0, 1]) {
        for (const field of Object.values(UPSTREAM_FIELD)) lanes.upstream(index).add(field, ++adds);
        for (const field of Object.values(LISTENER_FIELD)) lanes.listener(index).add(field, ++adds);
      }
    }
    const changed = [...region.doubles].filter((value, index) => !Object.is(value, before[index]));
    assert.deepEqual(
      changed.toSorted((a, b) => a - b),
      Array.from({ length: adds }, (_, i) => i + 1),
    );
  });

  test('add a latency to the sum and to one bucket of their block', () => {
    const region = Region.allocate(CAPACITY, 0);
    const lane = new WorkerLanes(region, 1).endpoint(2);
    for (const ms of [0, 0.1, 3, 3, 1e8]) lane.observeLatency(ms);
    const base = region.endpointLane(1, 2);
    assert.equal(region.doubles[base + ENDPOINT_FIELD.latencySumMs], 100_000_006.1);
    const first = base + ENDPOINT_FIELDS.length;
    assert.equal(region.doubles[first], 2);
    assert.equal(region.doubles[first + latencyBucketOf(3)], 2);
    assert.equal(region.doubles[first + LATENCY_BUCKETS - 1], 1);
  });

  test('throw for an index outside the region', () => {
    const lanes = new WorkerLanes(Region.allocate(CAPACITY, 0), 0);
    assert.throws(() => lanes.endpoint(3), /slot 3 is outside the shared region, which holds 3/);
    assert.throws(() => lanes.upstream(-1), RangeError);
    assert.throws(() => lanes.listener(2), RangeError);
  });

  test('keep their counters and reset their levels when a worker starts again', () => {
    const region = Region.allocate(CAPACITY, 0);
    for (const worker of [0, 1]) {
      const lanes = new WorkerLanes(region, worker);
      for (const field of ['attempts', 'connectionsOpen', 'connectionsIdle', 'upgradesOpen'] as const) {
        lanes.endpoint(2).add(ENDPOINT_FIELD[field], 5);
      }
      lanes.listener(1).add(LISTENER_FIELD.connectionsOpen, 5);
      lanes.listener(1).add(LISTENER_FIELD.connectionsAccepted, 5);
    }
    clearLevels(region, 0);
    const read = (worker: number) => [
      ...Object.entries(ENDPOINT_FIELD)
        .filter(([, field]) => region.doubles[region.endpointLane(worker, 2) + field] !== 0)
        .map(([name]) => name),
      ...Object.entries(LISTENER_FIELD)
        .filter(([, field]) => region.doubles[region.listenerLane(worker, 1) + field] !== 0)
        .map(([name]) => name),
    ];
    assert.deepEqual(read(0), ['attempts', 'connectionsAccepted']);
    assert.equal(read(1).length, 6);
  });
});
