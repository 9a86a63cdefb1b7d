// How slow the machine is for a test run, and so how long its tests wait. Thread: main.

import { loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';

/** The environment variable by which test files get the factor; set by hand it is not measured. */
export const PATIENCE_VARIABLE = 'FAIRLEAD_TEST_PATIENCE';

/** Limits are ten times those of a quiet machine at most: beyond that the run itself takes too long to be of use. */
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
 * How long the work takes on all cores at once, relative to the reference: where another program uses one of them, the
 * slowest thread shows it.
 */
export async function measureSlowness(coreCount: number): Promise<number> {
  const times = await Promise.all(Array.from({ length: coreCount }, timeWork));
  return Math.max(...times) / REFERENCE_MS;
}

/** What to multiply limits by: from 1 to 10, rounded to tenths. */
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
