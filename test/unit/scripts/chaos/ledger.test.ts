// Ledgers of endpoints, and the POSTs that they show as processed twice. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doubledPosts, parseLedger } from '../../../../scripts/chaos/ledger.ts';

test('a ledger is read line by line', () => {
  assert.deepEqual(parseLedger('GET g1-0 well\nPOST p1-1 reset\n', 2), [
    { endpoint: 2, method: 'GET', id: 'g1-0', mode: 'well' },
    { endpoint: 2, method: 'POST', id: 'p1-1', mode: 'reset' },
  ]);
});

const doubled = (...ledgers: string[]): readonly string[] => doubledPosts(ledgers.flatMap(parseLedger));

test('a POST that two endpoints, or one twice, began to handle is doubled', () => {
  assert.deepEqual(doubled('POST a well\n', 'POST a well\n'), ['a']);
  assert.deepEqual(doubled('POST a well\nPOST a well\n'), ['a']);
});

test('one that was reset or answered late may have been handled and counts', () => {
  assert.deepEqual(doubled('POST a reset\nPOST b late\n', 'POST a well\nPOST b well\n'), ['a', 'b']);
});

test('one that was refused with 503 was not handled', () => {
  assert.deepEqual(doubled('POST a unavailable\n', 'POST a well\n', 'POST a broken\n'), []);
});

test('GETs may be repeated', () => {
  assert.deepEqual(doubled('GET a well\n', 'GET a well\n'), []);
});
