// Heads with unknown methods in absolute-form and over HTTP/1.0, rewritten so that the engine can serve them. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rewriteHead } from '../../../../../proxy/downstream/http1/rewritten-head.ts';
import { CodecError } from '../../../../../proxy/http1/codec-error.ts';
import { DEFAULT_HEAD_LIMITS } from '../../../../../proxy/http1/head-scanner.ts';

const BODY = 'body\r\n\r\nmore';

/** Head, and the rewritten one with its version. */
const REWRITTEN: readonly (readonly [head: string, rewritten: string, version: string])[] = [
  ['LIST http://b/x?y HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n', 'LIST /x?y HTTP/1.1\r\nHost: b\r\nX: 1\r\n\r\n', '1.1'],
  ['LIST HTTPS://b:8443 HTTP/1.1\r\nhost:a\r\n\r\n', 'LIST / HTTP/1.1\r\nHost: b:8443\r\n\r\n', '1.1'],
  ['\r\nLIST http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 'LIST / HTTP/1.1\r\nHost: b\r\n\r\n', '1.1'],
  ['LIST /x HTTP/1.0\r\n\r\n', 'LIST /x HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n', '1.0'],
  [
    'LIST http://b/x HTTP/1.0\r\nExpect: x\r\nConnection: keep-alive\r\n\r\n',
    'LIST /x HTTP/1.1\r\nHost: b\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n',
    '1.0',
  ],
  // Left for the scan, which refuses two of them, and none.
  ['A http://b/ HTTP/1.1\r\nHost: a\r\nHost: c\r\n\r\n', 'A / HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n', '1.1'],
  ['A http://b/ HTTP/1.1\r\nX: 1\r\n\r\n', 'A / HTTP/1.1\r\nX: 1\r\n\r\n', '1.1'],
];

const REFUSED: readonly (readonly [head: string, error: number])[] = [
  ['LIST http://b/ HTTP/2.0\r\nHost: a\r\n\r\n', CodecError.VERSION_NOT_SUPPORTED],
  ['LIST http://b/ HTTP/1.1 x\r\nHost: a\r\n\r\n', CodecError.BAD_REQUEST_LINE],
  ['LIST http://user@b/ HTTP/1.1\r\nHost: a\r\n\r\n', CodecError.BAD_TARGET],
  ['LIST ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n', CodecError.BAD_TARGET],
  ['LIST http:///x HTTP/1.1\r\nHost: a\r\n\r\n', CodecError.BAD_TARGET],
  ['LIST http://b/#f HTTP/1.1\r\nHost: a\r\n\r\n', CodecError.FRAGMENT_IN_TARGET],
  ['LIST http://b/ HTTP/1.1\r\nHost: a/b\r\n\r\n', CodecError.BAD_HOST],
  ['LIST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', CodecError.CODING_IN_HTTP_1_0],
  [`LIST http://b/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, CodecError.TARGET_TOO_LONG],
  [`LIST http://b/ HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, CodecError.HEAD_TOO_LARGE],
];

/** With other bytes on both sides. */
function rewrite(text: string): ReturnType<typeof rewriteHead> {
  const before = 'earlier\r\n\r\n';
  const bytes = Buffer.from(`${before}${text}later\r\n\r\n`, 'latin1');
  return rewriteHead(bytes, before.length, before.length + text.length, DEFAULT_HEAD_LIMITS);
}

describe('rewriteHead', () => {
  for (const [head, rewritten, version] of REWRITTEN) {
    test(JSON.stringify(head), () => {
      const got = rewrite(`${head}${BODY}`);
      assert.ok(got !== null && typeof got === 'object');
      assert.deepEqual([got.bytes.toString('latin1'), got.version], [`${rewritten}${BODY}`, version]);
    });
  }

  for (const [head, error] of REFUSED) {
    test(`refuses ${JSON.stringify(head.slice(0, 60))}`, () => assert.equal(rewrite(head), error));
  }

  test('waits for the end of the head, and not for longer than the limit', () => {
    const [head] = REWRITTEN[0]!;
    for (let size = 1; size < head.length; size += 1) assert.equal(rewrite(head.slice(0, size)), null, String(size));
    assert.equal(rewrite(`${head.slice(0, -2)}X: ${'x'.repeat(40_000)}`), CodecError.HEAD_TOO_LARGE);
  });
});
