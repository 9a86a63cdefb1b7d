// Medians over rounds, failed rounds, quotients. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOneLine, median, Results, summarise } from '../../../../scripts/bench/summary.ts';
import { resultsOf, sampleOf } from './sample-results.ts';

test('the median is the middle value, or the mean of the two in the middle, and the input is not modified', () => {
  const values = [9, 1, 10];
  assert.equal(median(values), 9);
  assert.deepEqual(values, [9, 1, 10]);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), /no value/);
});

test('rounds are reduced to the median of each figure, with the range of CPU time', () => {
  const rounds = [sampleOf(12, { p99Ms: 9 }), sampleOf(14, { p99Ms: 3 }), sampleOf(11, { p99Ms: 5, note: 'seen' })];
  assert.deepEqual(summarise(rounds.map((sample) => ({ sample }))), {
    kind: 'measured',
    median: sampleOf(12, { p99Ms: 5, note: 'seen' }),
    lowestCpuUs: 11,
    highestCpuUs: 14,
  });
});

test('one failed round fails the cell', () => {
  const cell = summarise([
    { sample: sampleOf(12) },
    { failure: '3 responses not 2xx or 3xx' },
    { sample: sampleOf(11) },
  ]);
  assert.deepEqual(cell, { kind: 'failed', why: '1 of 3 rounds: 3 responses not 2xx or 3xx' });
});

test('a quotient needs both cells to be measured', () => {
  const results = resultsOf({ small: { haproxy: 12, fairlead: 15 } });
  results.set('small', 'caddy', { kind: 'failed', why: 'did not start' });
  assert.equal(results.quotient(['small', 'haproxy'], ['small', 'fairlead']), 0.8);
  assert.equal(results.quotient(['small', 'caddy'], ['small', 'fairlead']), undefined);
  assert.equal(results.quotient(['small', 'haproxy'], ['tls', 'fairlead']), undefined);
});

test('failed cells are counted; a cell that was not requested is absent', () => {
  const results = new Results();
  assert.equal(results.get('small', 'nginx').kind, 'absent');
  results.set('small', 'nginx', { kind: 'failed', why: 'x' });
  results.set('small', 'caddy', { kind: 'absent', why: 'not installed' });
  assert.equal(results.failedCount, 1);
});

test('a message of many lines is reduced to its first and last line', () => {
  assert.equal(inOneLine('refused'), 'refused');
  assert.equal(
    inOneLine('Fairlead ended with 4:\n{"level":"error"}\nno such file\n'),
    'Fairlead ended with 4: ... no such file',
  );
  assert.equal(inOneLine('x'.repeat(500)), `${'x'.repeat(200)}...`);
});
