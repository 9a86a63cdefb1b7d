// Request targets and authorities. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isValidAuthority, readTarget } from '../../../../proxy/downstream/request-target.ts';

const ACCEPTED: readonly (readonly [method: string, text: string, target: string, authority: string | null])[] = [
  ['GET', '/', '/', null],
  ['GET', '/a%2Fb/../c?d=e/f', '/a%2Fb/../c?d=e/f', null],
  ['GET', '//not-a-host/x', '//not-a-host/x', null],
  ['GET', '/"<>^`{|}\\', '/"<>^`{|}\\', null],
  ['OPTIONS', '*', '*', null],
  ['GET', 'http://b/x?y', '/x?y', 'b'],
  ['GET', 'HTTPS://b:8443', '/', 'b:8443'],
  ['GET', 'http://b?q', '/?q', 'b'],
  ['OPTIONS', 'http://b', '*', 'b'],
  ['OPTIONS', 'http://b/', '/', 'b'],
  ['GET', 'http://[::1]:80/', '/', '[::1]:80'],
];

const REFUSED: readonly (readonly [method: string, text: string])[] = [
  ['GET', ''],
  ['GET', '*'],
  ['GET', '*x'],
  ['GET', 'x'],
  ['GET', 'a:80'],
  ['GET', '?x'],
  ['GET', '/a#b'],
  ['GET', '/a b'],
  ['GET', '/a\x7f'],
  ['GET', '/\u00e9'],
  ['GET', 'ftp://b/'],
  ['GET', 'http:/b/'],
  ['GET', 'http:///x'],
  ['GET', 'http://u@b/'],
  ['GET', 'http://u:p@b/'],
  ['GET', 'http://b:x/'],
  ['GET', 'http://b:99999/'],
  ['GET', 'http://[::1/'],
];

describe('readTarget', () => {
  for (const [method, text, target, authority] of ACCEPTED) {
    test(`${method} ${text} is ${target} of ${authority ?? 'Host'}`, () => {
      assert.deepEqual(readTarget(method, text), { target, authority });
    });
  }
  for (const [method, text] of REFUSED) {
    test(`${method} ${JSON.stringify(text)} is refused`, () => assert.equal(readTarget(method, text), null));
  }
});

describe('isValidAuthority', () => {
  for (const text of ['a', 'a:80', 'A.b-c_d.e:1', '1.2.3.4', '[2001:db8::1]:443', '', 'a:', 'x%41']) {
    test(`takes ${JSON.stringify(text)}`, () => assert.equal(isValidAuthority(text), true));
  }
  for (const text of ['a b', 'u@a', 'a/b', 'a:80:80', ':80', 'a:65536', '[::1', 'a%4', '\u00e9', 'a?b', 'a\\b']) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.equal(isValidAuthority(text), false));
  }
});
