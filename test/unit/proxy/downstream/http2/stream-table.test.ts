// States of streams that aren't open. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Region } from '../../../../../core/memory/region.ts';
import { LISTENER_FIELD, type ListenerField } from '../../../../../core/memory/lane-fields.ts';
import { ConnectionLedger } from '../../../../../proxy/downstream/accept/connection-ledger.ts';
import type { Http2Stream } from '../../../../../proxy/downstream/http2/http2-stream.ts';
import { Closed, StreamTable } from '../../../../../proxy/downstream/http2/stream-table.ts';

function newTable() {
  const region = Region.allocate({ endpoints: 1, upstreams: 1, workers: 1, listeners: 1 }, 0);
  const count = (field: ListenerField) => region.doubles[region.listenerLane(0, 0) + LISTENER_FIELD[field]]!;
  return { table: new StreamTable(new ConnectionLedger(region, 0).http2Opened(0), 4), count };
}

test('streams are idle, reset by either side, or ended', () => {
  const { table } = newTable();
  table.lastId = 9;
  table.noteReset(3, false);
  table.noteReset(5, true);
  const states = [1, 3, 5, 9, 10, 11].map((id) => table.stateOf(id));
  const { ENDED, RESET_BY_US, RESET_BY_CLIENT, IDLE } = Closed;
  assert.deepEqual(states, [ENDED, RESET_BY_US, RESET_BY_CLIENT, ENDED, IDLE, IDLE]);
});

test('the streams that were reset last are remembered, more than may be open at a time', () => {
  const { table } = newTable();
  table.lastId = 9999;
  for (let id = 1; id < 2000; id += 2) table.noteReset(id, false);
  assert.equal(table.stateOf(1999), Closed.RESET_BY_US);
  assert.equal(table.stateOf(1999 - 2 * 500), Closed.RESET_BY_US);
  assert.equal(table.stateOf(1), Closed.ENDED);
});

test('open streams and resets of both sides are counted, whatever ends the streams', () => {
  const { table, count } = newTable();
  const stream = (id: number, isComplete: boolean) =>
    ({ id, body: { isComplete }, lost: () => undefined }) as unknown as Http2Stream;
  for (const id of [1, 3, 5, 7]) table.add(id, stream(id, id !== 5));
  assert.equal(count('http2Streams'), 4);
  table.delete(1);
  table.delete(1);
  assert.equal(count('http2Streams'), 3);
  table.loseUnfinished();
  assert.equal(count('http2Streams'), 2);
  table.loseAll();
  table.loseAll();
  assert.equal(count('http2Streams'), 0);
  table.noteReset(3, true);
  table.noteReset(5, false);
  table.noteReset(7, false);
  assert.equal(count('http2ResetsReceived'), 1);
  assert.equal(count('http2ResetsSent'), 2);
});
