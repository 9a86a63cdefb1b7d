// A turn of the event loop that has time for compression (compression-queue.ts). Thread: main.

import { setImmediate } from 'node:timers/promises';

/** Waits for a turn in which nothing was compressed: the next body is compressed at once. */
export async function turnWithTime(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await setImmediate();
}
