// Content-Length with leading zeros was accepted on one path and refused on the other; an unknown transfer coding before
// `chunked` was 400, and is 501 (RFC 9112 section 6.1). Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT_PATHS, startPath } from '../support/three-paths.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: a.test\r\n';
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';

const STATUS_OF: readonly (readonly [fields: string, body: string, status: number])[] = [
  [`Content-Length: ${'0'.repeat(25)}5`, 'hello', 200],
  [`Content-Length: ${'0'.repeat(300)}5`, 'hello', 200],
  ['Content-Length: 1000000000000000', '', 400],
  ['Content-Length: +5', '', 400],
  ['Content-Length: 5, 5', '', 400],
  ['Transfer-Encoding: chunked', CHUNKS, 200],
  ['Transfer-Encoding: Chunked', CHUNKS, 200],
  ['Transfer-Encoding: gzip, chunked', CHUNKS, 501],
  ['Transfer-Encoding: gzip,deflate,chunked', CHUNKS, 501],
  ['Transfer-Encoding: identity, chunked', CHUNKS, 501],
  ['Transfer-Encoding: chunked, chunked', CHUNKS, 400],
  ['Transfer-Encoding: chunked, gzip', CHUNKS, 400],
  ['Transfer-Encoding: gzip', '', 400],
  ['Transfer-Encoding: gzip;q=1, chunked', CHUNKS, 400],
  ['Transfer-Encoding: , chunked', CHUNKS, 400],
  ['Transfer-Encoding: gzip, chunked\r\nContent-Length: 5', CHUNKS, 400],
];

for (const path of CLIENT_PATHS) {
  describe(`framing fields on ${path}`, () => {
    test('have the same status on every path, and only valid ones reach the endpoint', async (t) => {
      const { origin, connect } = await startPath(t, path);
      for (const [fields, body, status] of STATUS_OF) {
        const before = origin.requests.length;
        const client = await connect();
        client.send(`${HEAD}${fields}\r\n\r\n${body}`);
        assert.equal((await client.readResponse()).status, status, fields);
        assert.equal(origin.requests.length - before, status === 200 ? 1 : 0, fields);
        if (status !== 200) continue;
        const { head } = origin.requests.at(-1)!;
        assert.match(head, body === 'hello' ? /^Content-Length: 5\r$/im : /^Transfer-Encoding: chunked\r$/im);
      }
    });
  });
}
