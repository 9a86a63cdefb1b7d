// The size of the shared region. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocateRegion, leastCapacity } from '../../../control/region-capacity.ts';

const GIB = 2 ** 30;

function settingsOf(endpoints: number) {
  const upstream = { endpoints: Array.from({ length: endpoints }) };
  return { upstreams: { api: upstream }, listeners: [], workers: 2 } as unknown as Parameters<typeof leastCapacity>[0];
}

test('a region has room for 65,536 endpoints, and none of it counts as used', () => {
  const region = allocateRegion(settingsOf(3), 0, 16 * GIB);
  assert.deepEqual(region.capacity, { endpoints: 65_536, upstreams: 64, listeners: 16, workers: 8 });
  assert.equal(region.endpointsUsed, 0);
});

test('a small machine gets less, but room for twice its endpoints', () => {
  assert.equal(allocateRegion(settingsOf(3), 0, GIB / 2).capacity.endpoints, 16_384);
  assert.equal(allocateRegion(settingsOf(3_000), 0, 1).capacity.endpoints, 8_192);
  assert.equal(allocateRegion(settingsOf(3), 0, 1).capacity.endpoints, 256);
});

test('a configuration of more endpoints gets room for twice as many', () => {
  assert.equal(leastCapacity(settingsOf(50_000)).endpoints, 131_072);
});
