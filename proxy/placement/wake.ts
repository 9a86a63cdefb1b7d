// Wakes workers with queued requests when a place at an endpoint becomes free. Thread: worker.

import { WORKER } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';

/** Wakes all workers. Costs a few atomic operations; call it only if a request is queued. */
export function wakeWorkers(region: Region, workers: number): void {
  for (let worker = 0; worker < workers; worker++) {
    const word = region.workerWord(worker) + WORKER.wake.index;
    Atomics.add(region.words, word, 1);
    Atomics.notify(region.words, word);
  }
}

/** Calls `onWake` whenever another worker wakes this one, until `signal` aborts. */
export async function listenForWakes(
  region: Region,
  worker: number,
  onWake: () => void,
  signal: AbortSignal,
): Promise<void> {
  const word = region.workerWord(worker) + WORKER.wake.index;
  let seen = Atomics.load(region.words, word);
  while (!signal.aborted) {
    await Atomics.waitAsync(region.words, word, seen).value;
    if (signal.aborted) return;
    seen = Atomics.load(region.words, word);
    onWake();
  }
}
