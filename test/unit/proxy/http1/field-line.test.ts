// Our own lines: nothing in a name or value can begin another line. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  contentLengthLine,
  fieldLine,
  fieldLines,
  fieldPrefix,
  isFieldValue,
  isTarget,
  joinLines,
  lineOf,
  TE_TRAILERS,
} from '../../../../proxy/http1/field-line.ts';

describe('field lines', () => {
  test('consist of name, colon, blank, value, CRLF', () => {
    assert.equal(fieldLine('X-Request-Id', 'a b'), 'X-Request-Id: a b\r\n');
    assert.equal(lineOf(fieldPrefix('X-A'), ''), 'X-A: \r\n');
    assert.equal(fieldLines(['A', '1', 'B', '2']), 'A: 1\r\nB: 2\r\n');
    assert.equal(
      joinLines(contentLengthLine(5), TE_TRAILERS),
      'Content-Length: 5\r\nTE: trailers\r\nConnection: TE\r\n',
    );
    assert.equal(contentLengthLine(Number.MAX_SAFE_INTEGER), 'Content-Length: 9007199254740991\r\n');
  });

  const injections = {
    'CR and LF (header injection)': 'a\r\nX-Evil: 1',
    'two line ends (response splitting)': 'a\r\n\r\nHTTP/1.1 200 OK',
    'a bare LF': 'a\nb',
    'a bare CR': 'a\rb',
    NUL: 'a\0b',
    DEL: 'a\x7f',
    'a character that loses its high byte as latin1 and becomes LF': 'a\u010ab',
  };
  for (const [what, value] of Object.entries(injections)) {
    test(`a value with ${what} is refused`, () => {
      assert.equal(isFieldValue(value), false);
      assert.throws(() => fieldLine('X-A', value), TypeError);
      assert.throws(() => fieldLines(['X-A', 'fine', 'X-B', value]), TypeError);
    });
  }

  for (const name of ['', 'a b', 'a:', 'a\r\nb', 'n\u00e4me', 'a\0']) {
    test(`the name ${JSON.stringify(name)} is refused`, () => {
      assert.throws(() => fieldPrefix(name), TypeError);
      assert.throws(() => fieldLine(name, 'v'), TypeError);
    });
  }

  test('a target has no blank, no control byte, no fragment', () => {
    assert.equal(isTarget('/a?b=%20'), true);
    for (const target of ['', '/a b', '/a\r\n', '/a#b', '/\u00e4', '/\t'])
      assert.equal(isTarget(target), false, target);
  });
});
