// Suspects: avoided by what can't be repeated, tried by canaries at a trickle, ignored while all are. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../core/random.ts';
import { AVAILABILITY } from '../../../core/availability.ts';
import { PICK_FAILURE } from '../../../core/balancer.ts';
import { E_AVAILABILITY, E_INFLIGHT, E_LAST_SUCCESS, E_SUSPECT, UPSTREAM } from '../../../core/memory/layout.ts';
import { UpstreamPicker } from '../../../balancers/upstream-picker.ts';
import { snapshot, regionFor, upstreamSnapshot } from '../../support/snapshots.ts';

function bench() {
  const upstream = upstreamSnapshot({ balance: { kind: 'least-request' } });
  const region = regionFor(snapshot({ upstreams: [upstream] }));
  const picker = new UpstreamPicker(upstream, { region, worker: 0, random: seededRandom(1) });
  const mark = (...slots: number[]): void => {
    for (const slot of slots) {
      region.words[region.endpointWord(slot) + E_SUSPECT] = 1;
      Atomics.add(region.words, region.upstreamWord(0) + UPSTREAM.suspects.index, 1);
    }
  };
  const pick = (nowMs: number, mayRetry: boolean, tried: number[] = []): number =>
    picker.pick({
      hash1: 0,
      hash2: 0,
      nowMs,
      mayRetry,
      mayUseLastResort: tried.length > 0,
      triedCount: tried.length,
      triedSlots: Int32Array.from(tried),
    });
  return { region, picker, mark, pick };
}

describe('a suspect', () => {
  test('is avoided at once by requests that may not be repeated', () => {
    const { mark, pick } = bench();
    mark(1);
    for (let nowMs = 0; nowMs < 5000; nowMs += 10) assert.notEqual(pick(nowMs, false), 1);
  });

  test('gets a canary at a trickle, and only one at a time', () => {
    const { region, mark, pick } = bench();
    mark(1);
    let canaries = 0;
    for (let nowMs = 0; nowMs < 1000; nowMs += 1) if (pick(nowMs, true) === 1) canaries++;
    assert.equal(canaries, 10);
    region.words[region.endpointWord(1) + E_INFLIGHT] = 1;
    for (let nowMs = 1000; nowMs < 2000; nowMs += 1) assert.notEqual(pick(nowMs, true), 1);
  });

  test('is no canary for a retry: that must succeed', () => {
    const { mark, pick } = bench();
    mark(1);
    for (let nowMs = 0; nowMs < 2000; nowMs += 10) assert.equal(pick(nowMs, true, [0]), 2);
  });

  test('is used like any other where nothing else can take the request', () => {
    const { mark, pick } = bench();
    mark(1);
    assert.equal(pick(0, false, [0, 2]), 1);
  });

  test('is ignored while all are suspect', () => {
    const { picker, mark, pick } = bench();
    mark(0, 1, 2);
    assert.equal(picker.usableCount, 3);
    const picked = new Set(Array.from({ length: 30 }, (_, index) => pick(index, false)));
    assert.deepEqual(
      [...picked].toSorted((a, b) => a - b),
      [0, 1, 2],
    );
  });
});

test('of equals, a request that may not be repeated takes the endpoint whose last good answer is the youngest', () => {
  const { region, pick } = bench();
  region.words[region.endpointWord(0) + E_LAST_SUCCESS] = 100;
  region.words[region.endpointWord(1) + E_LAST_SUCCESS] = 102;
  region.words[region.endpointWord(2) + E_LAST_SUCCESS] = 101;
  for (let index = 0; index < 9; index++) assert.equal(pick(index, false), 1);
  assert.equal(pick(0, false, [1]), 2);
  const spread = new Set(Array.from({ length: 9 }, (_, index) => pick(index, true)));
  assert.equal(spread.size, 3, 'requests that may be repeated take turns');
  region.words[region.endpointWord(1) + E_INFLIGHT] = 1;
  assert.equal(pick(0, false), 2, 'load comes first');
});

describe('an endpoint that is ejected or down', () => {
  test('is tried by a request that has no other endpoint left, and by no other', () => {
    const { region, pick } = bench();
    for (const [slot, availability] of [
      [1, 'ejected'],
      [2, 'down'],
    ] as const) {
      region.words[region.endpointWord(slot) + E_AVAILABILITY] = AVAILABILITY[availability];
    }
    Atomics.add(region.words, region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
    for (let index = 0; index < 9; index++) assert.equal(pick(index, true), 0);
    assert.ok([1, 2].includes(pick(0, true, [0])));
    assert.equal(pick(0, true, [0, 1]), 2);
    assert.equal(pick(0, true, [0, 1, 2]), PICK_FAILURE.allTried);
  });

  test('is not tried if an operator has taken it out', () => {
    const { region, pick } = bench();
    for (const slot of [1, 2]) region.words[region.endpointWord(slot) + E_AVAILABILITY] = AVAILABILITY.maintenance;
    Atomics.add(region.words, region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
    assert.equal(pick(0, true, [0]), PICK_FAILURE.allTried);
  });
});
