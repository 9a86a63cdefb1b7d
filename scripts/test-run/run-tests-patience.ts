// Patience: the factor of test timeouts, from the speed of the machine. Thread: main.

import { loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';

/** The environment variable that passes the factor to test files; if it is set already, nothing is measured. */
export const PATIENCE_VARIABLE = 'FAIRLEAD_TEST_PATIENCE';

/** Maximum factor: beyond ten the run itself takes too long to be useful. */
const MAX_PATIENCE = 10;

/** The work below on each core of a quiet machine, in milliseconds: 75 on that of docs/benchmarks.md, a third for noise. */
const REFERENCE_MS = 100;

const WORK = `
const { parentPort } = require('node:worker_threads');
function work(rounds) {
  let bits = 1;
  for (let round = 0; round < rounds; round++) {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
  }
  return bits;
}
work(1e6);
const startMs = performance.now();
const bits = work(5e7);
parentPort.postMessage([performance.now() - startMs, bits]);
`;

/** Runnable threads for each core over the last minute. */
export function loadPerCore(coreCount: number): number {
  return loadavg()[0]! / coreCount;
}

/**
 * Duration of the work on all cores concurrently, relative to the reference: if another program uses a core, its thread is
 * the slowest.
 */
export async function measureSlowness(coreCount: number): Promise<number> {
  const times = await Promise.all(Array.from({ length: coreCount }, timeWork));
  return Math.max(...times) / REFERENCE_MS;
}

/** Factor of all limits: from 1 to 10, rounded to tenths. */
export function patienceOn(slowness: number, load: number): number {
  return Math.round(Math.min(MAX_PATIENCE, Math.max(1, slowness, load)) * 10) / 10;
}

function timeWork(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const worker = new Worker(WORK, { eval: true });
  worker.once('message', ([ms]: [number, number]) => resolve(ms));
  worker.once('error', reject);
  return promise;
}
