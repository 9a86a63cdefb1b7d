// Server-sent events out of pieces of text, however they are cut. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from '../../../../../admin/dashboard/data/event-parser.ts';

const STREAM =
  'retry: 2000\n\nid: a-1\nevent: change\ndata: {"x":1}\n\n: still here\n\nevent: status\ndata: {"y":\ndata: 2}\n\n';
const MESSAGES = [
  { id: 'a-1', event: 'change', data: '{"x":1}' },
  { id: 'a-1', event: 'status', data: '{"y":\n2}' },
];

test('messages come out with their kind and the newest id', () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push(STREAM), MESSAGES);
  assert.equal(parser.lastEventId, 'a-1');
});

test('wherever the text is cut, and with any line break, they are the same', () => {
  for (const text of [STREAM, STREAM.replaceAll('\n', '\r\n'), STREAM.replaceAll('\n', '\r')]) {
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = new EventParser();
      const found = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut)), ...parser.push('\n')];
      assert.deepEqual(found, MESSAGES, `cut at ${cut}`);
    }
  }
});

test('what has not ended is kept back; no data is no message; an event without a kind is a message', () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push('event: status\n\ndata'), []);
  assert.deepEqual(parser.push(':x\ndata: y\n'), []);
  assert.deepEqual(parser.push('\n'), [{ id: '', event: 'message', data: 'x\ny' }]);
});

test('the id of an earlier stream holds until another comes', () => {
  const parser = new EventParser();
  parser.lastEventId = 'b-7';
  assert.deepEqual(
    parser.push('data: 1\n\nid: b-8\ndata: 2\n\n').map(({ id }) => id),
    ['b-7', 'b-8'],
  );
});
