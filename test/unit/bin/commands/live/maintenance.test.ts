// Arguments of `fairlead maintenance`. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMaintained, parseRetryAfter } from '../../../../../bin/commands/live/maintenance.ts';

test('a name may be given with its kind', () => {
  assert.deepEqual(parseMaintained('shop'), { name: 'shop' });
  assert.deepEqual(parseMaintained('route:shop'), { of: 'route', name: 'shop' });
  assert.deepEqual(parseMaintained('upstream:a:b'), { of: 'upstream', name: 'a:b' });
  assert.deepEqual(parseMaintained('listener:web'), { name: 'listener:web' });
  assert.deepEqual(parseMaintained('route:'), { name: 'route:' });
});

test('a duration has a unit of at least a second', () => {
  assert.deepEqual(['90s', '10m', '2h', '1d'].map(parseRetryAfter), [90, 600, 7200, 86_400]);
  for (const wrong of ['', '10', '0s', '1.5h', '500ms', '-1s', '1w']) {
    assert.throws(() => parseRetryAfter(wrong), /is not a duration of whole seconds: write 90s, 10m or 2h/, wrong);
  }
});
