// The grammar of chunk extensions, against a regular expression of it over every short text.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExtensionState, mayEndExtension, stepExtension } from '../../../../proxy/http1/chunk-extension.ts';

/** RFC 9112 section 7.1.1, over the bytes of the test below. */
const QUOTED = '"(?:[; ="a]|\\\\[; ="a\\\\])*"'.replace('[; ="a]', '[; =a]');
const GRAMMAR = new RegExp(`^(?: *; *a+(?: *= *(?:a+|${QUOTED}))?)+$`);
const BYTES = [';', ' ', '=', '"', 'a', '\\'];

function accepts(text: string): boolean {
  let state: number = ExtensionState.BEFORE_SEMICOLON;
  for (const byte of Buffer.from(text, 'latin1')) {
    state = stepExtension(state, byte);
    if (state < 0) return false;
  }
  return mayEndExtension(state);
}

function* textsOf(length: number): Generator<string> {
  if (length === 0) yield '';
  else for (const rest of textsOf(length - 1)) for (const byte of BYTES) yield rest + byte;
}

describe('chunk extensions', () => {
  test('are accepted exactly as the grammar says, up to seven bytes', () => {
    let taken = 0;
    for (let length = 1; length <= 7; length += 1) {
      for (const text of textsOf(length)) {
        assert.equal(accepts(text), GRAMMAR.test(text), JSON.stringify(text));
        if (GRAMMAR.test(text)) taken += 1;
      }
    }
    assert.ok(taken > 100, String(taken));
  });

  test('never contain CR, LF or NUL, quoted or not', () => {
    for (const byte of ['\r', '\n', '\0', '\x7f']) {
      for (const before of ['', ';', ';a', ';a ', ';a=', ';a=b', ';a="', ';a="\\', ';a="b"']) {
        assert.equal(accepts(`${before}${byte}`), false, JSON.stringify(before + byte));
        assert.equal(accepts(`${before}${byte}"`), false, JSON.stringify(before + byte));
      }
    }
  });

  test('may contain any text in quotes', () => {
    assert.equal(accepts(';a="\t !#\xff;=\\\xff"'), true);
  });
});
