// A short soak on each path: nothing that should succeed fails, and when the clients have left nothing is open: no
// exchange, no request in flight, no connection on either side, no more file descriptors than before. The long one,
// which looks at growth, is `npm run soak`. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSoak } from '../../scripts/soak/run.ts';
import { PATHS } from '../support/fairlead.ts';

for (const isFast of PATHS) {
  test(`traffic with clients that leave, fastPath: ${isFast}: nothing fails, and nothing stays open`, async (t) => {
    const options = { seconds: 5, isFast, clients: 24, pauseMs: 15, workers: 2, seed: 7 };
    const faults = await runSoak(options, (line) => t.diagnostic(line));
    assert.deepEqual(faults, []);
  });
}
