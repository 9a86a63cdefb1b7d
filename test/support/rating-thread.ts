// A worker thread that takes from the rates of the same keys as another one, as fast as it can. Thread: worker.

import { parentPort, workerData } from 'node:worker_threads';
import { ClientMemory } from '../../core/memory/client-memory.ts';
import { rateOf } from '../../core/memory/rate-table.ts';

const KEYS = 300;
const TURNS = 250;
/** Its memory, and a word that counts the threads that are ready. */
export interface RatingOrder {
  readonly buffer: SharedArrayBuffer;
  readonly ready: Int32Array;
  readonly threads: number;
}

const { buffer, ready, threads } = workerData as RatingOrder;
const memory = new ClientMemory(buffer);
const rate = rateOf(1000, 200, 0);
const taken = Array.from({ length: KEYS }, () => 0);

Atomics.add(ready, 0, 1);
while (Atomics.load(ready, 0) < threads);
for (let key = 0; key < KEYS; key += 1) {
  memory.hash.of(`key ${key}`);
  for (let turn = 0; turn < TURNS; turn += 1) {
    if (memory.rates.take(memory.hash.low, memory.hash.high, rate, 5_000_000) === 0) taken[key]! += 1;
  }
}
parentPort!.postMessage(taken);
