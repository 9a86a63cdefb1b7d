// Paths of requests as paths below the root of a file route: decoding, hidden names, path traversal. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directoryTarget, filePathOf } from '../../../../proxy/files/file-path.ts';

const NAMES: readonly [target: string, path: string | null][] = [
  ['/', '/'],
  ['/a/b.css', 'a/b.css'],
  ['/a/', 'a/'],
  ['/a?x=/../b', 'a'],
  ['/a%20b/%C3%A9', 'a b/\u00e9'],
  ['//a///b', 'a/b'],
  ['/a/./b/../c', 'a/c'],
  ['/..', '/'],
  ['/../../etc/passwd', 'etc/passwd'],
  ['/%2e%2e/etc/passwd', 'etc/passwd'],
  ['/a/%2e%2E/b', 'b'],
  ['/%252e%252e/x', '%2e%2e/x'],
  ['/a;b=c', 'a;b=c'],
  ['/..%2fetc', null],
  ['/a%2Fb', null],
  ['/a%5cb', null],
  ['/a\\b', null],
  ['/%5c..%5c', null],
  ['/a%00.html', null],
  ['/a%0d', null],
  ['/%c0%ae%c0%ae/x', null],
  ['/%ff', null],
  ['/%', '%'],
  ['/.env', null],
  ['/a/.git/config', null],
  ['/%2eenv', null],
  ['/...', null],
  ['/.well-known/security.txt', '.well-known/security.txt'],
  ['/.well-known/.htaccess', null],
  ['*', null],
];

test('a target names a file below the root, or none', () => {
  for (const [target, expected] of NAMES) {
    const found = filePathOf(target, false);
    const shown = found === null ? null : `${found.segments.join('/')}${found.isDirectory ? '/' : ''}`;
    assert.equal(shown, expected, target);
  }
});

test('names with a leading dot are served on request, and steps to other directories never', () => {
  assert.deepEqual(filePathOf('/.env', true)?.segments, ['.env']);
  assert.deepEqual(filePathOf('/%2e%2e/%2e/x', true)?.segments, ['x']);
  assert.equal(filePathOf('/..%2f..%2fx', true), null);
});

test('a directory is redirected to on the same host', () => {
  assert.equal(directoryTarget('/docs?a=1'), '/docs/?a=1');
  assert.equal(directoryTarget('//evil.test/docs'), '/evil.test/docs/');
});
