// Health in shared memory, as workers see it, and the order of writes. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY, type Availability } from '../../../../core/availability.ts';
import { ENDPOINT, FULL_FACTOR, UPSTREAM } from '../../../../core/memory/layout.ts';
import { Region } from '../../../../core/memory/region.ts';
import { Publisher } from '../../../../health/state/publisher.ts';
import { endpointSnapshot } from '../../../support/snapshots.ts';

type EndpointWord = keyof typeof ENDPOINT;

function makeRegion(): Region {
  return Region.allocate({ endpoints: 4, upstreams: 2, workers: 2, listeners: 1 }, 0);
}

function get(region: Region, slot: number, word: EndpointWord): number {
  return region.words[region.endpointWord(slot) + ENDPOINT[word].index]!;
}

function set(region: Region, slot: number, word: EndpointWord, value: number): void {
  region.words[region.endpointWord(slot) + ENDPOINT[word].index] = value;
}

function epochOf(region: Region, upstream: number): number {
  return region.words[region.upstreamWord(upstream) + UPSTREAM.epoch.index]!;
}

type Write = (array: Int32Array, index: number, value: number) => number;

/** Names of the words that `act` writes with Atomics, in order. */
function writesOf(region: Region, act: () => void): string[] {
  const names = new Map<number, string>();
  for (const [name, { index }] of Object.entries(ENDPOINT)) names.set(region.endpointWord(1) + index, name);
  for (const [name, { index }] of Object.entries(UPSTREAM))
    names.set(region.upstreamWord(0) + index, `upstream.${name}`);
  const writes: string[] = [];
  const { store, add } = Atomics;
  const spy = (plain: Write): Write => {
    return (array, index, value) => {
      writes.push(names.get(index) ?? `word ${index}`);
      return plain(array, index, value);
    };
  };
  Object.assign(Atomics, { store: spy(store), add: spy(add) });
  try {
    act();
  } finally {
    Object.assign(Atomics, { store, add });
  }
  return writes;
}

describe('Publisher', () => {
  test('moves the epoch once, and last, after a change of availability', () => {
    const region = makeRegion();
    const writes = writesOf(region, () => new Publisher(region).availability(0, 1, 'up', 'down'));
    assert.deepEqual(writes, ['suspect', 'availability', 'upstream.epoch']);
    assert.equal(get(region, 1, 'availability'), AVAILABILITY.down);
  });

  test('opens a half-open endpoint only after its token and counts are reset', () => {
    const region = makeRegion();
    const writes = writesOf(region, () => new Publisher(region).availability(0, 1, 'ejected', 'halfOpen'));
    assert.deepEqual(writes.slice(-2), ['availability', 'upstream.epoch']);
    for (const word of ['halfOpenToken', 'consecutiveFailures', 'suspect']) {
      assert.ok(writes.indexOf(word) < writes.indexOf('availability'), word);
    }
  });

  test("touches its own upstream's epoch only", () => {
    const region = makeRegion();
    const publisher = new Publisher(region);
    publisher.availability(1, 3, 'up', 'drain');
    publisher.terms(1, 3, 7, 9);
    publisher.allDown(1, true);
    assert.deepEqual([epochOf(region, 0), epochOf(region, 1)], [0, 3]);
    assert.deepEqual([get(region, 3, 'weight'), get(region, 3, 'limit')], [7, 9]);
  });

  const resets: readonly (readonly [from: Availability, to: Availability, failures: number, suspect: number])[] = [
    ['up', 'suspect', 4, 1],
    ['suspect', 'up', 4, 0],
    ['suspect', 'ejected', 4, 0],
    ['up', 'down', 4, 0],
    ['ejected', 'halfOpen', 0, 0],
    ['halfOpen', 'up', 0, 0],
    ['down', 'up', 0, 0],
    ['down', 'ejected', 4, 0],
    ['maintenance', 'up', 0, 0],
    ['unresolved', 'up', 0, 0],
    ['drain', 'up', 4, 0],
  ];
  for (const [from, to, failures, suspect] of resets) {
    test(`${from} to ${to} leaves ${failures} of 4 failures in a row, and the suspicion at ${suspect}`, () => {
      const region = makeRegion();
      set(region, 1, 'consecutiveFailures', 4);
      set(region, 1, 'halfOpenToken', 2);
      set(region, 1, 'suspect', 1);
      new Publisher(region).availability(0, 1, from, to);
      assert.equal(get(region, 1, 'consecutiveFailures'), failures);
      assert.equal(get(region, 1, 'halfOpenToken'), failures === 0 ? 0 : 2);
      assert.equal(get(region, 1, 'suspect'), suspect);
    });
  }

  test('a new owner of a slot inherits nothing', () => {
    const region = makeRegion();
    for (const word of ['consecutiveFailures', 'suspect', 'halfOpenToken', 'lastSuccessMs', 'availability'] as const) {
      set(region, 1, word, 3);
    }
    new Publisher(region).adopt(0, endpointSnapshot(1, { generation: 8, weight: 5 }), 20);
    const words = ['consecutiveFailures', 'suspect', 'halfOpenToken', 'lastSuccessMs', 'availability'] as const;
    assert.deepEqual(
      words.map((word) => get(region, 1, word)),
      [0, 0, 0, 0, AVAILABILITY.up],
    );
    const terms = (['generation', 'weight', 'limit', 'factor'] as const).map((word) => get(region, 1, word));
    assert.deepEqual(terms, [8, 5, 20, FULL_FACTOR]);
    assert.equal(epochOf(region, 0), 1);
  });

  test("frees a dead worker's token, and nobody else's", () => {
    const region = makeRegion();
    const publisher = new Publisher(region);
    set(region, 1, 'halfOpenToken', 2);
    publisher.freeTokenOf(1, 0);
    assert.ok(publisher.isTrialRunning(1));
    publisher.freeTokenOf(1, 1);
    assert.ok(!publisher.isTrialRunning(1));
  });
});
