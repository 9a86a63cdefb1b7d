// Idle connections that an endpoint closes: when that says something of the endpoint. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleDeaths } from '../../../../proxy/upstream/idle-deaths.ts';

/** Plays deaths as [idle connections that are left, at ms]; how often it was told. */
function told(...deaths: readonly (readonly [idleLeft: number, atMs: number])[]): number {
  let count = 0;
  const watch = new IdleDeaths(() => count++);
  for (const [idleLeft, atMs] of deaths) watch.died(idleLeft, atMs);
  return count;
}

test('one of several that ends says nothing: connections do', () => {
  assert.equal(told([5, 1000]), 0);
  assert.equal(told([5, 1000], [4, 1100], [3, 1200]), 0);
});

test('a second one within a tenth of a second does', () => {
  assert.equal(told([5, 1000], [4, 1099]), 1);
});

test('the last one does', () => {
  assert.equal(told([0, 1000]), 1);
});
