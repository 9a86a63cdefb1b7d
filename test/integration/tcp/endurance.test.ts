// A short form of `npm run tcp-endurance`: sessions that end in every way, and bytes in bulk; nothing is lost, and nothing
// stays open. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureEndurance } from '../../../scripts/tcp-endurance/run.ts';
import { shortOrLong } from '../../support/test-length.ts';

test('TCP sessions that end in every way lose no byte, and leave nothing behind', async (t) => {
  const options = { connections: shortOrLong(120, 2000), mib: shortOrLong(8, 256), withHaproxy: false };
  const { faults, figures } = await measureEndurance(options);
  for (const line of figures) t.diagnostic(line);
  assert.deepEqual(faults, []);
});
