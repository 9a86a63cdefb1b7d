// The head of a valid response, as scanned. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldKind } from '../../../../proxy/http1/field-kind.ts';
import { scanText } from '../../../support/http1-scan.ts';

describe('a scanned response', () => {
  const lines: readonly (readonly [line: string, status: number, minorVersion: number, reason: string])[] = [
    ['HTTP/1.1 200 OK', 200, 1, 'OK'],
    ['HTTP/1.0 404 Not Found', 404, 0, 'Not Found'],
    ['HTTP/1.2 200 OK', 200, 2, 'OK'],
    ['HTTP/1.9 200', 200, 9, ''],
    ['HTTP/1.1 100 ', 100, 1, ''],
    ['HTTP/1.1 599', 599, 1, ''],
    ['HTTP/1.1 500 \xd6rk \t.', 500, 1, '\xd6rk \t.'],
  ];
  for (const [line, status, minorVersion, reason] of lines) {
    test(`may begin with "${line}"`, () => {
      const { outcome, head, start } = scanText('response', `${line}\r\nServer: s\r\n\r\n`);
      assert.equal(outcome, 'complete');
      assert.deepEqual([head.status, head.minorVersion, head.reasonText], [status, minorVersion, reason]);
      assert.deepEqual(head.fieldList(0), ['Server', 's']);
      assert.equal(head.bodyStart, start + line.length + 15);
    });
  }

  test('needs no Host and no field', () => {
    const { outcome, head } = scanText('response', 'HTTP/1.1 204 No Content\r\n\r\n');
    assert.equal(outcome, 'complete');
    assert.equal(head.fieldCount, 0);
    assert.equal(head.has(FieldKind.HOST), false);
  });
});
