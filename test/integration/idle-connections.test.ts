// Memory of idle client connections on the fast path. `npm run idle` measures five thousand of them. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureIdleConnections } from '../../scripts/idle-connections/measure.ts';

const KIB = 1024;

test('idle keep-alive connections take less than 20 KiB of resident memory each', async (t) => {
  const { bytesEach, open } = await measureIdleConnections({
    connections: 3500,
    isTls: false,
    isFast: true,
    isHttp2: false,
    streams: 0,
    limitKib: 20,
  });
  t.diagnostic(`${(bytesEach / KIB).toFixed(1)} KiB each`);
  assert.equal(open, 3500);
  assert.ok(bytesEach < 20 * KIB, `${bytesEach} bytes each`);
});
