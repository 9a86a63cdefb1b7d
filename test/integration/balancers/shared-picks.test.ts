// Balancers over several real worker threads that share one region. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { BalanceSnapshot } from '../../../core/snapshot/upstream.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';
import type { PickingOrder } from '../../support/picking-thread.ts';

const THREADS = 3;

/** Lets the threads pick at once; how often each slot was picked over all of them, and by each. */
async function pickInThreads(balance: BalanceSnapshot, weights: readonly number[], picks: number, inflight: number) {
  const balancing = new Balancing({ balance, weights });
  const gate = new SharedArrayBuffer(4);
  const threads = Array.from({ length: THREADS }, (_, worker) => {
    const { upstream, region } = balancing;
    const workerData: PickingOrder = { buffer: region.buffer, upstream, worker, picks, inflight, gate };
    return new Worker(new URL('../../support/picking-thread.ts', import.meta.url), { workerData });
  });
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  const reports = threads.map((thread) => once(thread, 'message') as Promise<[number[]]>);
  const exits = threads.map((thread) => once(thread, 'exit'));
  Atomics.store(new Int32Array(gate), 0, 1);
  Atomics.notify(new Int32Array(gate), 0);
  const byThread = (await Promise.all(reports)).map(([counts]) => counts);
  await Promise.all(exits);
  const total = weights.map((_, slot) => byThread.reduce((sum, counts) => sum + counts[slot]!, 0));
  return { total, byThread, balancing };
}

test('round robin is strict over three threads: weights 1:2:3 give exact shares', async () => {
  const picks = 40_000;
  const { total, balancing } = await pickInThreads(BALANCES.roundRobin, [1, 2, 3], picks, 5);
  const unit = (picks * THREADS) / 6;
  assert.deepEqual(total, [unit, 2 * unit, 3 * unit]);
  for (const index of [0, 1, 2]) assert.equal(balancing.inflight(index), 0);
});

test('least-request of three threads ends with nothing in flight, and no thread neglects an endpoint', async () => {
  const { byThread, balancing } = await pickInThreads(BALANCES.leastRequest, [1, 1, 1, 1], 20_000, 8);
  for (const index of [0, 1, 2, 3]) assert.equal(balancing.inflight(index), 0);
  for (const counts of byThread) assert.ok(Math.min(...counts) > 0, counts.join());
});
