// Trailers: forwarded and forbidden. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CodecError } from '../../../../proxy/http1/codec-error.ts';
import { readTrailerSection } from '../../../../proxy/http1/trailer-section.ts';

function read(text: string, maxFields = 10): ReturnType<typeof readTrailerSection> {
  const bytes = Buffer.from(`${text}\r\nFOREIGN`, 'latin1');
  return readTrailerSection(bytes, text.length + 2, maxFields);
}

describe('a trailer section', () => {
  test('keeps names and values unchanged', () => {
    assert.deepEqual(read('X-Sum: abc \r\ngrpc-status:0\r\n'), {
      error: 0,
      fields: ['X-Sum', 'abc', 'grpc-status', '0'],
    });
  });

  // By group of RFC 9110 section 6.5.1.
  const forbidden = {
    framing: ['Transfer-Encoding', 'Content-Length', 'Trailer'],
    routing: ['Host', 'Max-Forwards', 'Forwarded', 'X-Forwarded-For', 'X-Forwarded-Whatever', 'X-Real-IP', 'Via'],
    connection: ['Connection', 'Keep-Alive', 'Proxy-Connection', 'Upgrade', 'TE'],
    authentication: ['Authorization', 'Proxy-Authorization', 'WWW-Authenticate', 'Cookie', 'Set-Cookie'],
    'request control': ['Expect', 'Range', 'If-Match', 'If-Modified-Since', 'Cache-Control', 'Pragma'],
    'response control': ['Age', 'Date', 'Expires', 'Location', 'Retry-After', 'Vary'],
    'content format': ['Content-Encoding', 'Content-Type', 'Content-Range'],
  } as const;
  for (const [group, names] of Object.entries(forbidden)) {
    test(`drops fields of ${group}, in any case, and keeps those around`, () => {
      for (const name of names) {
        const { error, fields } = read(`A: 1\r\n${name.toUpperCase()}: x\r\nB: 2\r\n`);
        assert.equal(error, 0);
        assert.deepEqual(fields, ['A', '1', 'B', '2'], name);
      }
    });
  }

  test('of forbidden fields alone, or of none, is null', () => {
    assert.deepEqual(read('Host: a\r\n'), { error: 0, fields: null });
    assert.deepEqual(read(''), { error: 0, fields: null });
  });

  test('is refused by the grammar of fields and by its limit', () => {
    assert.equal(read('A b: 1\r\n').error, CodecError.SPACE_AFTER_NAME);
    assert.equal(read('A: 1\r\nB\r\n').error, CodecError.MISSING_COLON);
    assert.equal(read('A: 1\r\nB: 2\r\n', 2).error, 0);
    assert.equal(read('A: 1\r\nB: 2\r\n', 1).error, CodecError.TRAILERS_TOO_LARGE);
  });

  test('without its end is refused, not truncated', () => {
    const bytes = Buffer.from('A: 1\r\nB: ', 'latin1');
    assert.notEqual(readTrailerSection(bytes, bytes.length, 10).error, 0);
  });
});
