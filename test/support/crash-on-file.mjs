// Preloaded (--import) into Fairlead's processes by tests: a worker thread crashes when the file CRASH_FILE plus the worker's
// number appears, after hanging for CRASH_HANG_MS. Thread: worker.

import { existsSync, unlinkSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const file = process.env.CRASH_FILE;
if (!isMainThread && file !== undefined) {
  const own = `${file}${workerData.worker}`;
  setInterval(() => {
    if (!existsSync(own)) return;
    unlinkSync(own);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.CRASH_HANG_MS ?? 0));
    throw new Error('a crash that a test caused');
  }, 10).unref();
}
