// Header blocks of responses: fields that HTTP/2 doesn't allow, and independence of the connection. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldList } from '../../../../core/head.ts';
import { Decoded, HpackDecoder } from '../../../../proxy/http2/hpack-decoder.ts';
import { NO_TABLE_UPDATE, ResponseBlockEncoder } from '../../../../proxy/http2/response-block.ts';

/** Decodes with a table of size 0: an index of the dynamic table would be malformed. */
function decode(block: Uint8Array): string[] {
  const fields: string[] = [];
  const decoder = new HpackDecoder(0, { listBytes: 65_536, fields: 200 });
  assert.equal(
    decoder.decode(block, 0, block.length, ({ name, value }) => fields.push(name, value)),
    Decoded.OK,
  );
  return fields;
}

describe('ResponseBlockEncoder', () => {
  const heads: readonly (readonly [name: string, fields: FieldList, length: number, expected: FieldList])[] = [
    ['lower-case names', ['Content-Type', 'text/HTML'], -1, ['content-type', 'text/HTML']],
    ['a stated length only', ['Content-Length', '9'], 5, ['content-length', '5']],
    [
      'no connection-specific field',
      ['Connection', 'close', 'Keep-Alive', 'x', 'Upgrade', 'h2c', 'TE', 'trailers'],
      -1,
      [],
    ],
    ['no Transfer-Encoding', ['Transfer-Encoding', 'chunked', 'Proxy-Connection', 'close'], 0, ['content-length', '0']],
    ['no name that is not a token', ['a b', 'c', '', 'd', 'é', 'e', 'f:', 'g', ':status', '500'], -1, []],
    ['no value with a line end or NUL', ['a', 'b\r\nc: d', 'e', 'f\0', 'g', 'h\n'], -1, []],
    ['values without blanks around them', ['a', ' b c\t', 'd', ''], -1, ['a', 'b c', 'd', '']],
    [
      'repeated fields in their order',
      ['Set-Cookie', 'a=1', 'set-cookie', 'b=2'],
      -1,
      ['set-cookie', 'a=1', 'set-cookie', 'b=2'],
    ],
  ];
  for (const [name, fields, length, expected] of heads) {
    test(`encodes ${name}`, () => {
      assert.deepEqual(decode(new ResponseBlockEncoder().head(200, fields, length)), [':status', '200', ...expected]);
    });
  }

  test('encodes a head to the same bytes every time, and after an update to size 0', () => {
    const encoder = new ResponseBlockEncoder();
    const fields = ['Server', 'x', 'Set-Cookie', 'a=1'];
    const first = Buffer.from(encoder.head(404, fields, 3));
    assert.deepEqual(Buffer.from(encoder.head(404, fields, 3)), first);
    const decoder = new HpackDecoder(4096, { listBytes: 65_536, fields: 200 });
    const block = Buffer.concat([Buffer.from([NO_TABLE_UPDATE]), first]);
    assert.equal(
      decoder.decode(block, 0, block.length, () => undefined),
      Decoded.OK,
    );
    assert.equal(decoder.tableBytes, 0);
  });

  test('encodes trailers, or nothing where none may be sent', () => {
    const encoder = new ResponseBlockEncoder();
    assert.deepEqual(decode(encoder.trailers(['Grpc-Status', '0', 'Connection', 'close'])!), ['grpc-status', '0']);
    assert.equal(encoder.trailers(['Transfer-Encoding', 'chunked']), null);
  });
});
