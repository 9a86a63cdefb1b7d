// The share of client connections in the files that a process may open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientShareOf, openFilesLimit } from '../../../net/open-files.ts';

test('clients get half of the descriptors beside the own ones, and at least a quarter', () => {
  assert.equal(clientShareOf(1_024, 4), 456);
  assert.equal(clientShareOf(1_048_576, 16), 524_160);
  assert.equal(clientShareOf(200, 16), 50);
  assert.equal(clientShareOf(Number.POSITIVE_INFINITY, 16), Number.POSITIVE_INFINITY);
});

test('the limit of this process is a number', () => {
  assert.ok(openFilesLimit() > 100);
});
