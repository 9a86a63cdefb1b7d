// A request head that is sent repeatedly, with fields that policies insert and remove: what it keeps of the last request never
// shows in the next. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AttemptRequest } from '../../../../core/exchange-contract.ts';
import type { FieldList } from '../../../../core/head.ts';
import { RequestEncoder } from '../../../../proxy/upstream/request-encoder.ts';
import { InsertedLines } from '../../../../proxy/wire/inserted-lines.ts';
import type { ScannedRequestHead } from '../../../../proxy/wire/scanned-request-head.ts';
import { requestHead } from '../../../support/request-head.ts';
import { scannedHead } from '../../../support/scanned-heads.ts';

const CLIENT_FIELDS = ['accept', '*/*', 'traceparent', 'of-the-client', 'x-team', 'red', 'x-debug', '1'];

function headOfClient(): ScannedRequestHead {
  return scannedHead(requestHead({ fields: CLIENT_FIELDS }))!;
}

function forwarded(trace: readonly string[], id: string, more: FieldList = []): FieldList {
  return ['X-Forwarded-Proto', 'http', ...trace, ...more, 'X-Request-Id', id];
}

describe('a head that is sent again', () => {
  const sent: readonly (readonly [name: string, inserted: FieldList, removed: readonly string[]])[] = [
    ['first', forwarded(['traceparent', 'a'], '1'), []],
    ['another traceparent', forwarded(['traceparent', 'b'], '2'), []],
    ['the same traceparent', forwarded(['traceparent', 'b'], '3'), []],
    ['none', forwarded([], '4'), []],
    ['none again', forwarded([], '5'), []],
    ['a field of another name in its place', forwarded(['X-Team', 'b'], '6'), []],
    ['a field behind it', forwarded(['traceparent', 'c'], '7', ['X-Team', 'blue']), []],
    ['another value behind it', forwarded(['traceparent', 'd'], '8', ['X-Team', 'green']), []],
    ['two of them', forwarded(['traceparent', 'e', 'traceparent', 'f'], '9'), []],
    ['two others', forwarded(['traceparent', 'g', 'traceparent', 'h'], '10'), []],
    ['a removed field', forwarded(['traceparent', 'i'], '11'), ['x-debug']],
    ['another removed field', forwarded(['traceparent', 'j'], '12'), ['x-team']],
    ['no removed field', forwarded(['traceparent', 'k'], '13'), []],
    ['a traceparent at the end', ['traceparent', 'l'], []],
    ['another at the end', ['traceparent', 'm'], []],
    ['no field', [], []],
  ];
  const encoder = new RequestEncoder();
  const kept = headOfClient();
  for (const [name, insertedFields, removed] of sent) {
    test(`equals one that is sent for the first time: ${name}`, () => {
      const parts = { insertedFields, removedFields: new Set(removed), hostField: kept.authority };
      const text = encoder.encode({ ...parts, head: kept } as unknown as AttemptRequest);
      const fresh = new RequestEncoder().encode({ ...parts, head: headOfClient() } as unknown as AttemptRequest);
      assert.deepEqual(text!.split('\r\n').sort(), fresh!.split('\r\n').sort());
      const values = insertedFields.filter((_, at) => at % 2 === 1);
      for (const value of values) assert.match(text!, new RegExp(`: ${value}\r\n`));
      if (insertedFields.includes('traceparent')) assert.doesNotMatch(text!, /of-the-client/);
    });
  }
});

describe('lines of inserted fields', () => {
  test('are kept where traceparent and the last field alone differ', () => {
    const lines = new InsertedLines();
    lines.set(forwarded(['traceparent', 'a'], '1'));
    const { others } = lines;
    lines.set(forwarded(['traceparent', 'b'], '2'));
    assert.equal(lines.others, others);
    assert.equal(lines.firstLines, 'X-Forwarded-Proto: http\r\n');
    assert.equal(lines.lastLines, 'traceparent: b\r\nX-Request-Id: 2\r\n');
  });

  test('have checked values', () => {
    const lines = new InsertedLines();
    lines.set(forwarded(['traceparent', 'a'], '1'));
    assert.throws(() => lines.set(forwarded(['traceparent', 'b\r\nx: y'], '2')), TypeError);
  });
});
