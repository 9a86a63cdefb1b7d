// Faults of heads, described for the log. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { largestFieldName } from '../../../../proxy/http1/head-fault.ts';

function largestOf(text: string): string {
  const bytes = Buffer.from(`AROUND: ${'x'.repeat(99)}${text}`, 'latin1');
  return largestFieldName(bytes, bytes.length - text.length, bytes.length);
}

describe('the largest field', () => {
  test('is the one with the longest line, name and value together', () => {
    assert.equal(largestOf('GET / HTTP/1.1\r\nA: 12345\r\nCookie: 123456789\r\nLong-Name: 1\r\n\r\n'), 'Cookie');
  });

  test('may be incomplete', () => {
    assert.equal(largestOf(`GET /${'a'.repeat(200)} HTTP/1.1\r\nA: b\r\nX-Token: ${'c'.repeat(50)}`), 'X-Token');
  });

  test('must have a valid name, which is truncated', () => {
    assert.equal(largestOf(`GET / HTTP/1.1\r\nA: b\r\nnot a name: ${'c'.repeat(50)}`), 'A');
    assert.equal(largestOf(`GET / HTTP/1.1\r\n${'N'.repeat(500)}: v\r\n`), 'N'.repeat(64));
  });

  test('is empty without a field', () => {
    assert.equal(largestOf(''), '');
    assert.equal(largestOf('GET / HTTP/1.1\r\n'), '');
    assert.equal(largestOf(`GET / HTTP/1.1\r\n${'x'.repeat(50)}`), '');
  });
});
