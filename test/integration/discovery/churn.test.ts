// A short run of `npm run churn`: changes reach the workers in batches, and disturb nothing. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureChurn } from '../../../scripts/churn/run.ts';

test('endpoints that change all the time fail no request, and reach the workers in batches', async () => {
  const result = await measureChurn({ upstreams: 50, endpoints: 20, perSecond: 50, seconds: 3 });
  assert.equal(result.failures, 0);
  assert.ok(result.changes >= 100);
  assert.ok(result.batches >= 3, 'changes are applied while others follow');
  assert.ok(result.batches <= 45, 'there are at most ten batches a second');
});
