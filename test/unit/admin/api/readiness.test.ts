// When a process may be sent traffic. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AdminWorker } from '../../../../admin/admin-context.ts';
import { notReadyBecause } from '../../../../admin/api/readiness.ts';

function reasons(states: readonly AdminWorker['state'][], restarts: readonly number[] = [], draining = false) {
  const workers = states.map((state, worker) => ({ worker, state, restarts: restarts[worker] ?? 0 }));
  return notReadyBecause({ workers: () => workers, isDraining: () => draining });
}

describe('readiness', () => {
  test('is given when all workers listen', () => {
    assert.deepEqual(reasons(['listening', 'listening']), []);
  });

  test('waits for every worker at the start', () => {
    assert.deepEqual(reasons(['listening', 'starting']), ['worker 1 is starting']);
  });

  test('survives a worker that is being restarted, as long as another listens', () => {
    assert.deepEqual(reasons(['listening', 'starting'], [0, 1]), []);
    assert.deepEqual(reasons(['listening', 'exited']), []);
    assert.deepEqual(reasons(['exited', 'starting'], [0, 1]), ['no worker is listening']);
  });

  test('ends with a drain, before the workers have stopped to listen', () => {
    assert.deepEqual(reasons(['listening'], [], true), ['draining']);
  });

  test('is not given before there are workers', () => {
    assert.deepEqual(reasons([]), ['no worker is listening']);
  });
});
