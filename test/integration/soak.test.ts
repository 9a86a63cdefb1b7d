// A short soak on each path: no request that should succeed fails, and after the clients have left nothing is open: no
// exchange, no request in flight, no connection on either side, no additional file descriptor. `npm run soak` is the long
// run, which also measures growth. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSoak } from '../../scripts/soak/run.ts';
import { PATHS } from '../support/fairlead.ts';
import { shortOrLong } from '../support/test-length.ts';

for (const isFast of PATHS) {
  test(`traffic with clients that disconnect, fastPath: ${isFast}: no failure, and nothing stays open`, async (t) => {
    const options = {
      seconds: shortOrLong(2, 20),
      isFast,
      clients: shortOrLong(12, 24),
      pauseMs: 15,
      workers: 2,
      seed: 7,
    };
    const faults = await runSoak(options, (line) => t.diagnostic(line));
    assert.deepEqual(faults, []);
  });
}
