// Reservations in one thread: limits, own rows, and crash repair. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { E_INFLIGHT, E_LIMIT } from '../../../../core/memory/layout.ts';
import { release, repairAfterCrash, reserve } from '../../../../core/memory/reservation.ts';
import { testRegion } from '../../../support/balancing.ts';

function setUp() {
  const region = testRegion(8);
  const inflight = (slot: number) => region.words[region.endpointWord(slot) + E_INFLIGHT]!;
  const own = (worker: number, slot: number) => region.words[region.ownWord(worker, slot)]!;
  return { region, inflight, own };
}

test('a reservation counts at the endpoint and in the row of its worker until it is released', () => {
  const { region, inflight, own } = setUp();
  assert.ok(reserve(region, 1, 3));
  assert.ok(reserve(region, 2, 3));
  assert.deepEqual([inflight(3), own(1, 3), own(2, 3), own(0, 3)], [2, 1, 1, 0]);
  release(region, 1, 3);
  assert.deepEqual([inflight(3), own(1, 3), own(2, 3)], [1, 0, 1]);
});

test('an endpoint at its limit refuses reservations, and a refused one leaves no trace', () => {
  const { region, inflight, own } = setUp();
  region.words[region.endpointWord(0) + E_LIMIT] = 2;
  assert.deepEqual([reserve(region, 0, 0), reserve(region, 1, 0), reserve(region, 2, 0)], [true, true, false]);
  assert.deepEqual([inflight(0), own(2, 0)], [2, 0]);
  release(region, 0, 0);
  assert.ok(reserve(region, 2, 0));
});

test('a limit below the in-flight count refuses until enough are released', () => {
  const { region } = setUp();
  for (let i = 0; i < 5; i++) reserve(region, 0, 0);
  region.words[region.endpointWord(0) + E_LIMIT] = 4;
  assert.ok(!reserve(region, 0, 0));
  release(region, 0, 0);
  assert.ok(!reserve(region, 0, 0));
  release(region, 0, 0);
  assert.ok(reserve(region, 0, 0));
});

test('repair subtracts the reservations of the dead worker only', () => {
  const { region, inflight, own } = setUp();
  for (let i = 0; i < 4; i++) reserve(region, 1, 5);
  reserve(region, 1, 6);
  reserve(region, 0, 5);
  assert.equal(repairAfterCrash(region, 1), 5);
  assert.deepEqual([inflight(5), inflight(6), own(1, 5), own(1, 6), own(0, 5)], [1, 0, 0, 0, 1]);
  assert.equal(repairAfterCrash(region, 1), 0, 'only once');
});

test('repair never leaves a count below zero', () => {
  const { region, inflight } = setUp();
  reserve(region, 1, 0);
  // The worker died between decrementing the endpoint's count and its own row.
  Atomics.sub(region.words, region.endpointWord(0) + E_INFLIGHT, 1);
  repairAfterCrash(region, 1);
  assert.equal(inflight(0), 0);
});
