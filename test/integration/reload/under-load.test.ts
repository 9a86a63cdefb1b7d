// A short run of `npm run reloads`: nothing may be lost. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureReloads } from '../../../scripts/reloads/run.ts';

test('reloads under load fail no request and cut no stream whose endpoint stays', async () => {
  const result = await measureReloads({ seconds: 6, reloads: 10, perSecond: 300, streams: 5 });
  assert.deepEqual([...result.failures], []);
  assert.deepEqual(result.broken, []);
  assert.equal(result.changes.length, 10);
  assert.ok(
    result.changes.every((count) => count > 3),
    'each reload changes weights, endpoints and routes',
  );
  assert.ok(result.requests > 1_000);
  assert.ok(result.generations <= 2, 'streams do not keep generations for ever, but for the first');
});
