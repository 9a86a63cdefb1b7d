// States of streams that aren't open. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Closed, StreamTable } from '../../../../../proxy/downstream/http2/stream-table.ts';

test('streams are idle, reset by either side, or ended', () => {
  const table = new StreamTable();
  table.lastId = 9;
  table.noteReset(3, false);
  table.noteReset(5, true);
  const states = [1, 3, 5, 9, 10, 11].map((id) => table.stateOf(id));
  const { ENDED, RESET_BY_US, RESET_BY_CLIENT, IDLE } = Closed;
  assert.deepEqual(states, [ENDED, RESET_BY_US, RESET_BY_CLIENT, ENDED, IDLE, IDLE]);
});

test('the streams that were reset last are remembered, more than may be open at a time', () => {
  const table = new StreamTable();
  table.lastId = 9999;
  for (let id = 1; id < 2000; id += 2) table.noteReset(id, false);
  assert.equal(table.stateOf(1999), Closed.RESET_BY_US);
  assert.equal(table.stateOf(1999 - 2 * 500), Closed.RESET_BY_US);
  assert.equal(table.stateOf(1), Closed.ENDED);
});
