// Options of the soak.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from '../../../../scripts/soak/options.ts';

test('the default is ten minutes on the fast path', () => {
  const { seconds, isFast } = readOptions([])!;
  assert.deepEqual([seconds, isFast], [600, true]);
  const told = readOptions(['--seconds', '90', '--path', 'general', '--clients', '5'])!;
  assert.deepEqual([told.seconds, told.isFast, told.clients], [90, false, 5]);
});

test('invalid values are refused, and help is printed', () => {
  for (const args of [['--path', 'slow'], ['--minutes', '0'], ['--clients', 'many'], ['--what']]) {
    assert.throws(() => readOptions(args), Error, args.join(' '));
  }
  assert.equal(readOptions(['--help']), null);
});
