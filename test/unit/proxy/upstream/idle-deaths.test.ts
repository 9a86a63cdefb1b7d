// Closes of idle connections: idle timeouts explain them, except several early ones together. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IdleDeaths } from '../../../../proxy/upstream/idle-deaths.ts';

type Close = readonly [idleMs: number, atMs: number, announcedMs?: number];

/** Plays closes; returns how often a death was reported. */
function deathsAfter(...closes: readonly Close[]): number {
  let count = 0;
  const deaths = new IdleDeaths(() => count++);
  for (const [idleMs, atMs, announcedMs = -1] of closes) deaths.closed({ idleMs, announcedMs }, atMs);
  return count;
}

describe('no death', () => {
  test('a single close, however early', () => {
    assert.equal(deathsAfter([3, 1000]), 0);
    assert.equal(deathsAfter([3, 1000], [3, 1100], [3, 1200]), 0);
  });

  test('closes together after the announced timeout, or a little before it', () => {
    assert.equal(deathsAfter([5000, 1000, 5000], [5001, 1000, 5000], [6000, 1001, 5000]), 0);
    assert.equal(deathsAfter([4510, 1000, 5000], [4600, 1000, 5000]), 0);
  });

  test('closes together after equal idle times: a short timeout, or a server that closes after each response', () => {
    assert.equal(deathsAfter([300, 1000], [301, 1000], [320, 1001]), 0);
    assert.equal(deathsAfter([1, 1000], [2, 1000], [9, 1010], [4, 1020]), 0);
  });

  test('closes together of connections that were idle for longer than any short timeout', () => {
    assert.equal(deathsAfter([5000, 1000], [5000, 1000], [5001, 1001]), 0);
    assert.equal(deathsAfter([20_000, 1000], [29_000, 1000], [61_000, 1000]), 0);
  });

  test('closes together after the timeout that earlier closes have shown', () => {
    assert.equal(deathsAfter([5000, 1000], [4800, 9000], [5200, 9000], [5900, 9001]), 0);
  });
});

describe('a death', () => {
  test('two connections just used close together', () => {
    assert.equal(deathsAfter([40, 1000], [700, 1099]), 1);
  });

  test('is reported once per group', () => {
    assert.equal(deathsAfter([40, 1000], [141, 1000], [342, 1000], [943, 1099]), 1);
    assert.equal(deathsAfter([40, 1000], [141, 1000], [42, 2000], [343, 2000]), 2);
  });

  test('two connections close together long before the announced timeout', () => {
    assert.equal(deathsAfter([2000, 1000, 5000], [3000, 1000, 5000]), 1);
  });

  test('two connections close together long before the timeout that earlier closes have shown', () => {
    assert.equal(deathsAfter([60_000, 1000], [60_000, 1000], [20_000, 99_000], [3000, 99_000]), 1);
  });
});
