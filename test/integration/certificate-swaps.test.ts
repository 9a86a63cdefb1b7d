// Certificates that change on disk under a stream of new TLS connections. `npm run certificate-swaps` does it two hundred
// times. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { swapUnderLoad } from '../../scripts/certificate-swaps/run.ts';

test('certificates are replaced on two workers without a failed handshake', async (t) => {
  const { handshakes, failures, longestSwapMs } = await swapUnderLoad({ swaps: 6, perSecond: 60, workers: 2 });
  t.diagnostic(`${handshakes} handshakes; the slowest swap was served after ${longestSwapMs} ms`);
  assert.deepEqual([...failures], []);
  assert.ok(handshakes > 30, `${handshakes} handshakes`);
});
