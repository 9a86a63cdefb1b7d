// Options of the soak.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from '../../../../scripts/soak/options.ts';

test('ten minutes on the fast path, unless told otherwise', () => {
  const { seconds, isFast } = readOptions([])!;
  assert.deepEqual([seconds, isFast], [600, true]);
  const told = readOptions(['--seconds', '90', '--path', 'general', '--clients', '5'])!;
  assert.deepEqual([told.seconds, told.isFast, told.clients], [90, false, 5]);
});

test('what can not be meant is refused, and help is given', () => {
  for (const args of [['--path', 'slow'], ['--minutes', '0'], ['--clients', 'many'], ['--what']]) {
    assert.throws(() => readOptions(args), Error, args.join(' '));
  }
  assert.equal(readOptions(['--help']), null);
});
