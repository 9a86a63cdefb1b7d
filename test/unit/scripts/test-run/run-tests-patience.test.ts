// How the machine's pace becomes the factor of all limits. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPerCore, measureSlowness, patienceOn } from '../../../../scripts/test-run/run-tests-patience.ts';

test('limits follow the slower of work and load, from 1 to 10 times', () => {
  const factors: [slowness: number, load: number, patience: number][] = [
    [0.7, 0.2, 1],
    [1, 1, 1],
    [2.34, 0, 2.3],
    [1.2, 3.5, 3.5],
    [40, 0, 10],
    [0, 400, 10],
  ];
  for (const [slowness, load, patience] of factors) {
    assert.equal(patienceOn(slowness, load), patience);
  }
});

test('a machine is measured', async () => {
  const slowness = await measureSlowness(2);
  assert.ok(slowness > 0 && Number.isFinite(slowness));
  assert.ok(loadPerCore(2) >= 0);
});
