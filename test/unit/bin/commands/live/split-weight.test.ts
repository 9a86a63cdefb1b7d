// Arguments of `fairlead weight --route`. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSplitWeight } from '../../../../../bin/commands/live/split-weight.ts';

test('a weight in a split may be 0', () => {
  assert.deepEqual(['0', '95', '1000000', 'configured'].map(parseSplitWeight), [0, 95, 1_000_000, null]);
  for (const wrong of ['', '-1', '1.5', '1000001', 'all']) {
    assert.throws(() => parseSplitWeight(wrong), /is not a weight from 0 to 1000000; configured restores/, wrong);
  }
});
