// The requests of a seed. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivalsOf, exponentialWork, SHORT_WORK } from '../../../../scripts/chaos/arrivals.ts';

const SETTINGS = { seed: 3, durationMs: 60_000, rate: 400, postShare: 0.2, workMs: SHORT_WORK };

test('the same seed gives the same requests, another seed others', () => {
  assert.deepEqual(arrivalsOf(SETTINGS), arrivalsOf(SETTINGS));
  assert.notDeepEqual(arrivalsOf({ ...SETTINGS, seed: 4 }), arrivalsOf(SETTINGS));
});

test('requests are in order, at the configured rate, as a Poisson process', () => {
  const arrivals = arrivalsOf(SETTINGS);
  const gaps = arrivals.slice(1).map(({ atMs }, index) => atMs - arrivals[index]!.atMs);
  // 24,000 expected, standard deviation 155; the seed is fixed.
  assert.ok(Math.abs(arrivals.length - 24_000) < 4 * 155, String(arrivals.length));
  assert.ok(gaps.every((gapMs) => gapMs >= 0));
  // A share of 1/e of exponential gaps is longer than their mean.
  const longShare = gaps.filter((gapMs) => gapMs > 1000 / SETTINGS.rate).length / gaps.length;
  assert.ok(Math.abs(longShare - 1 / Math.E) < 0.013, String(longShare));
});

test('one in five is a POST with a body, the others have none; ids are unique', () => {
  const arrivals = arrivalsOf(SETTINGS);
  const posts = arrivals.filter(({ method }) => method === 'POST');
  assert.ok(Math.abs(posts.length / arrivals.length - 0.2) < 0.01);
  assert.ok(posts.some(({ bodyBytes }) => bodyBytes > 1000));
  assert.ok(arrivals.every(({ method, bodyBytes }) => method === 'POST' || bodyBytes === 0));
  assert.equal(new Set(arrivals.map(({ id }) => id)).size, arrivals.length);
});

test('a few use separate connections', () => {
  const arrivals = arrivalsOf(SETTINGS);
  const share = arrivals.filter(({ isAlone }) => isAlone).length / arrivals.length;
  assert.ok(Math.abs(share - 0.05) < 0.006, String(share));
});

test('work is one or two milliseconds, or exponential with the given mean', () => {
  assert.deepEqual(new Set(arrivalsOf(SETTINGS).map(({ workMs }) => workMs)), new Set([2, 1]));
  const works = arrivalsOf({ ...SETTINGS, workMs: exponentialWork(40) }).map(({ workMs }) => workMs);
  const meanMs = works.reduce((sum, workMs) => sum + workMs, 0) / works.length;
  assert.ok(Math.abs(meanMs - 40) < 1.1, String(meanMs));
});
