// Preloaded (--import) into Fairlead's processes by tests: a worker thread dies when the file appears that
// CRASH_FILE names, followed by the number of the worker; it hangs for CRASH_HANG_MS before. Thread: worker.

import { existsSync, unlinkSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const file = process.env.CRASH_FILE;
if (!isMainThread && file !== undefined) {
  const own = `${file}${workerData.worker}`;
  setInterval(() => {
    if (!existsSync(own)) return;
    unlinkSync(own);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.CRASH_HANG_MS ?? 0));
    throw new Error('a crash that a test asked for');
  }, 10).unref();
}
