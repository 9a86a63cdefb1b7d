// Body patterns of heartbeats: syntax and nested quantifiers. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasNestedRepeat, parseBodyPattern } from '../../../../health/checkers/body-pattern.ts';

test('JavaScript regular expressions with the flag u are accepted unchanged', () => {
  for (const text of ['ok', '^\\{"status":\\s*"up"', '\\p{L}+', '(?<=a)b', 'é']) {
    assert.deepEqual(parseBodyPattern(text), { ok: true, value: text });
  }
});

test('invalid regular expressions get the reason', () => {
  const reasons = { '(': 'unterminated group', 'a**': 'nothing to repeat', '\\-': 'invalid escape', '': 'empty' };
  for (const [text, reason] of Object.entries(reasons)) {
    const parsed = parseBodyPattern(text);
    assert.ok(!parsed.ok && parsed.message.includes(reason), text);
  }
  assert.equal(parseBodyPattern('a'.repeat(1001)).ok, false);
});

test('nested quantifiers are detected', () => {
  const nested = [
    '(a+)+',
    '(a*)*b',
    '(?:a|b+)*',
    '(?<name>x{2,}){3,}',
    '((a+)b)+',
    '(a+(b))+',
    '(([ab]+))*',
    '(\\w+\\s?)*$',
    '(a{1,10})+',
    '(a+?)+?',
  ];
  for (const pattern of nested) {
    assert.ok(parseBodyPattern(pattern).ok, pattern);
    assert.ok(hasNestedRepeat(pattern), pattern);
  }
});

test('adjacent, escaped, short and class quantifiers are not nested', () => {
  const plain = [
    'a+b*',
    '(a|b)+',
    '(a+)b(c+)',
    '(a+){3}',
    '(a+)?',
    '([+*])+',
    '([\\]+*])+',
    '(\\+\\*)+',
    '(\\(a+)b',
    '(a{2}){5,}',
    '(a{1,3})+',
    '(?:)+',
    '(?=a+)b+',
  ];
  for (const pattern of plain) {
    assert.ok(parseBodyPattern(pattern).ok, pattern);
    assert.ok(!hasNestedRepeat(pattern), pattern);
  }
});
