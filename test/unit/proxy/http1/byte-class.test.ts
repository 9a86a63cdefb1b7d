// The table of byte classes against the RFCs' own sets.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BLANK,
  CLASS,
  DIGIT,
  HEX_DIGIT,
  isAllOf,
  PATH,
  REG_NAME,
  TARGET,
  TEXT,
  TOKEN,
} from '../../../../proxy/http1/byte-class.ts';

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);

describe('byte classes', () => {
  const sets: readonly (readonly [name: string, bit: number, set: RegExp])[] = [
    ['TOKEN is tchar of RFC 9110 5.6.2', TOKEN, /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/],
    ['TEXT is HTAB, SP, VCHAR and obs-text of RFC 9110 5.5', TEXT, /^[\t\x20-\x7e\x80-\xff]$/],
    ['TARGET is VCHAR without "#"', TARGET, /^[\x21\x22\x24-\x7e]$/],
    ['PATH is TARGET without "?"', PATH, /^[\x21\x22\x24-\x3e\x40-\x7e]$/],
    ['REG_NAME is unreserved, sub-delims and "%" of RFC 3986', REG_NAME, /^[A-Za-z0-9._~!$&'()*+,;=%-]$/],
    ['DIGIT', DIGIT, /^[0-9]$/],
    ['HEX_DIGIT takes both cases', HEX_DIGIT, /^[0-9a-fA-F]$/],
    ['BLANK is SP and HTAB', BLANK, /^[ \t]$/],
  ];
  for (const [name, bit, set] of sets) {
    test(name, () => {
      const marked = BYTES.filter((byte) => (CLASS[byte]! & bit) !== 0);
      const expected = BYTES.filter((byte) => set.test(String.fromCharCode(byte)));
      assert.deepEqual(marked, expected);
    });
  }

  test('isAllOf checks the range only, accepts an empty one, and refuses characters beyond latin1', () => {
    assert.equal(isAllOf('(abc)', 1, 4, TOKEN), true);
    assert.equal(isAllOf('(abc)', 0, 4, TOKEN), false);
    assert.equal(isAllOf('(', 0, 0, TOKEN), true);
    assert.equal(isAllOf('\u0161', 0, 1, TEXT), false);
  });
});
