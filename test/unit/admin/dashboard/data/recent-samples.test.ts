// The last minutes for the charts: bounded, in order, with gaps where nothing was known. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentSamples } from '../../../../../admin/dashboard/data/recent-samples.ts';

test('samples come back oldest first, and the oldest go when it is full', () => {
  const history = new RecentSamples(3);
  for (let at = 1; at <= 5; at++) history.add(at, new Map([['a', at * 10]]));
  assert.deepEqual(history.read('a'), [
    [3, 4, 5],
    [30, 40, 50],
  ]);
});

test('what came later, went, or was not known has gaps', () => {
  const history = new RecentSamples(4);
  history.add(1, new Map([['a', 1]]));
  history.add(
    2,
    new Map<string, number | null>([
      ['a', null],
      ['b', 2],
    ]),
  );
  history.addGap(3);
  history.add(4, new Map([['b', 4]]));
  assert.deepEqual(history.read('a', 'b', 'c'), [
    [1, 2, 3, 4],
    [null, null, null, null],
    [null, 2, null, 4],
    [null, null, null, null],
  ]);
});

test('a gap before anything is nothing', () => {
  const history = new RecentSamples();
  history.addGap(1);
  assert.deepEqual(history.read('a'), [[], []]);
});
