// Normal form of paths. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isPlainPath, normalizedPath, pathToMatch } from '../../../core/request-path.ts';

test('paths in normal form are plain', () => {
  const plain = [
    '/',
    '/a',
    '/a/',
    '/a/b.c',
    '/.well-known/x',
    '/a/.b',
    '/a/..b',
    '/a/b..',
    "/-._~!$&'()*+,=:@",
    '*',
    '',
  ];
  for (const path of plain) assert.equal(isPlainPath(path), true, path);
});

test('paths with other readings are not plain', () => {
  const others = ['//', '/a//b', '/.', '/..', '/a/.', '/a/..', '/./a', '/../a', '/a;b', '/a%41', '/a\\b', '/a{', '/é'];
  for (const path of others) assert.equal(isPlainPath(path), false, path);
});

const FORMS: readonly (readonly [path: string, matched: string, sent: string])[] = [
  ['/%41%7e', '/A~', '/A~'],
  ['/%c3%a9', '/%C3%A9', '/%C3%A9'],
  ['/a%2fb', '/a%2Fb', '/a%2Fb'],
  ['/a%40b%2bc', '/a@b+c', '/a%40b%2Bc'],
  ['/a{b}', '/a%7Bb%7D', '/a%7Bb%7D'],
  ['/a\\b', '/a%5Cb', '/a%5Cb'],
  ['/a%zz', '/a%25zz', '/a%25zz'],
  ['/a%', '/a%25', '/a%25'],
  ['/a//b///c', '/a/b/c', '/a/b/c'],
  ['/a/./b/../c', '/a/c', '/a/c'],
  ['/a/..', '/', '/'],
  ['/a/b/.', '/a/b/', '/a/b/'],
  ['/../../a', '/a', '/a'],
  ['/%2e%2E/a', '/a', '/a'],
  ['/a;x=1/b', '/a;x=1/b', '/a;x=1/b'],
  ['/a%3Bx', '/a%3Bx', '/a%3Bx'],
];

test('a path has one normal form to match and one to send', () => {
  for (const [path, matched, sent] of FORMS) {
    assert.deepEqual([pathToMatch(path), normalizedPath(path)], [matched, sent], path);
  }
});

test('normal forms are stable, and valid in a request line', () => {
  const pieces = ['a', '/', '.', '..', '%', '%2e', '%2E', '%25', '%5c', '%2f', ';', '\\', '{', 'C'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (chosen) => {
      const path = `/${chosen.join('')}`;
      const sent = normalizedPath(path);
      assert.match(sent, /^\/[!-~]*$/);
      assert.equal(normalizedPath(sent), sent);
      assert.equal(pathToMatch(sent), pathToMatch(path));
      assert.equal(pathToMatch(pathToMatch(path)), pathToMatch(path));
    }),
    { seed: 20_261_130, numRuns: 2000 },
  );
});
