// Regular expressions that match in linear time. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsOf, linearRegex, parseLinearRegex } from '../../../core/linear-regex.ts';

test('expressions match any part of a text, unless anchored', () => {
  assert.equal(linearRegex('b+').test('abba'), true);
  assert.equal(linearRegex('^b').test('abba'), false);
  assert.equal(linearRegex('(?i)^/ADMIN(/|$)').test('/Admin/x'), true);
});

test('replaces the first match, with groups', () => {
  const regex = linearRegex('/v([0-9]+)/(x)?');
  assert.equal(regex.replace('/a/v12/b/v3/', ['/api/', 1, '/', 2, 0]), '/a/api/12//v12/b/v3/');
  assert.equal(regex.replace('/a', ['/']), null);
});

test('faults are explained', () => {
  const messageOf = (text: string): string => {
    const parsed = parseLinearRegex(text);
    return parsed.ok ? '' : parsed.message;
  };
  assert.match(messageOf(''), /empty/);
  assert.match(messageOf('a'.repeat(1001)), /longer than 1000/);
  assert.match(messageOf('a('), /"a\(" is not a regular expression: missing closing \)/);
  assert.match(messageOf('(?=a)'), /lookarounds and backreferences cannot be matched in linear time/);
  assert.match(messageOf('(a{1000}){1000}'), /repeat count/);
  assert.deepEqual(groupsOf('(a)(?:b)(?P<n>c)'), { ok: true, value: 2 });
});

test('expressions that take exponential time elsewhere take linear time', () => {
  const text = 'a'.repeat(16_000);
  for (const source of ['^(a+)+$', '^(a|a)*$', '^(a*)*b', '(x+x+)+y', '(.*)(.*)(.*)b', '^((a|b)*a(a|b){12})+c']) {
    const regex = linearRegex(source);
    const beganMs = performance.now();
    regex.test(`${text}!`);
    assert.ok(performance.now() - beganMs < 2000, source);
  }
});
