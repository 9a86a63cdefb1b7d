// Chunked bodies: payload, ends, limits, trailers, refusals. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChunkedDecoder, type ChunkLimits } from '../../../../proxy/http1/chunked-decoder.ts';
import { DecodeEvent } from '../../../../proxy/http1/decode-event.ts';
import { decodeChunks } from '../../../support/http1-chunks.ts';
import { everyByte } from '../../../support/http1-reader.ts';

const decode = (text: string, limits?: ChunkLimits): ReturnType<typeof decodeChunks> => {
  return decodeChunks(text, [], limits);
};

describe('a chunked body', () => {
  const whole: readonly (readonly [what: string, text: string, payload: string])[] = [
    ['of no chunk', '0\r\n\r\n', ''],
    ['of one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['of several chunks', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
    [
      'with hexadecimal sizes of both cases',
      `a\r\n0123456789\r\nB\r\n01234567890\r\n0\r\n\r\n`,
      '012345678901234567890',
    ],
    ['with a size of two digits', `1F\r\n${'x'.repeat(31)}\r\n0\r\n\r\n`, 'x'.repeat(31)],
    ['with leading zeros up to 16 digits', '0000000000000005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['whose payload looks like an end', '7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n\r\n'],
    ['with extensions', '5;a;b=c;d="e;\\""\r\nhello\r\n0;z\r\n\r\n', 'hello'],
    ['with blanks around extensions', '5 ;\ta = b\r\nhello\r\n0\r\n\r\n', 'hello'],
  ];
  for (const [what, text, payload] of whole) {
    test(`${what} is decoded`, () => {
      const decoded = decode(`${text}GET /next`);
      assert.equal(decoded.outcome, 'done');
      assert.equal(decoded.output, payload);
      assert.equal(decoded.payloadBytes, payload.length);
      assert.equal(decoded.rest, 'GET /next');
      assert.equal(decoded.trailers, null);
    });
  }

  const refused: readonly (readonly [what: string, error: string, text: string])[] = [
    ['an empty size', 'bad-chunk-size', '\r\nhello'],
    ['a size that is no digit', 'bad-chunk-size', 'z\r\n'],
    ['a size with a letter behind', 'bad-chunk-size', '5z\r\n'],
    ['0x', 'bad-chunk-size', '0x5\r\n'],
    ['a plus sign', 'bad-chunk-size', '+5\r\n'],
    ['a minus sign', 'bad-chunk-size', '-5\r\n'],
    ['an underscore', 'bad-chunk-size', '0_5\r\n'],
    ['a blank before the size', 'bad-chunk-size', ' 5\r\n'],
    ['NUL behind the size', 'bad-chunk-size', '5\0\r\n'],
    ['1025 digits', 'chunk-too-large', `${'0'.repeat(1024)}5\r\n`],
    ['2^53', 'chunk-too-large', '20000000000000\r\n'],
    ['2^64 + 5', 'chunk-too-large', '10000000000000005\r\n'],
    ['a bare LF behind the size', 'bare-lf', '5\nhello'],
    ['a bare CR behind the size', 'bare-cr', '5\rhello'],
    ['two CRs behind the size', 'bare-cr', '5\r\r\n'],
    ['a blank behind the size', 'bad-chunk-extension', '5 \r\n'],
    ['words behind the size', 'bad-chunk-extension', '5 hello\r\n'],
    ['an extension without a name', 'bad-chunk-extension', '5;\r\n'],
    ['a bare LF in an extension', 'bare-lf', '5;a\nhello'],
    ['CR in an extension', 'bare-cr', '5;a\rb\r\n'],
    ['a quote that stays open', 'bad-chunk-extension', '5;a="b\r\n'],
    ['CRLF in quotes', 'bad-chunk-extension', '5;a="\r\nX"\r\n'],
    ['NUL in an extension', 'bad-chunk-extension', '5;a=\0\r\n'],
    ['payload that is longer than its size', 'bad-chunk-end', '5\r\nhello!\r\n'],
    ['payload that is shorter than its size', 'bad-chunk-end', '5\r\nhell\r\n0\r\n\r\n'],
    ['a bare LF behind the payload', 'bad-chunk-end', '5\r\nhello\n0\r\n\r\n'],
    ['a bare CR behind the payload', 'bad-chunk-end', '5\r\nhello\r0\r\n\r\n'],
    ['an empty line in place of a size', 'bad-chunk-size', '5\r\nhello\r\n\r\n0\r\n\r\n'],
    ['a bare LF for the last line', 'bare-lf', '0\r\n\n'],
    ['a bare CR for the last line', 'bare-cr', '0\r\n\rX'],
    ['a trailer without a colon', 'missing-colon', '0\r\nX\r\n\r\n'],
    ['a trailer with a blank before the colon', 'space-after-name', '0\r\nX : y\r\n\r\n'],
    ['a trailer that ends in LF', 'bare-lf', '0\r\nX: y\n\r\n'],
    ['CR in a trailer', 'bare-cr', '0\r\nX: y\rZ: z\r\n\r\n'],
    ['a folded trailer', 'folded-line', '0\r\nX: y\r\n z\r\n\r\n'],
    ['a first trailer that is folded', 'folded-line', '0\r\n X: y\r\n\r\n'],
    ['NUL in a trailer', 'bad-value', '0\r\nX: \0\r\n\r\n'],
  ];
  for (const [what, error, text] of refused) {
    test(`is refused for ${what}: ${error}`, () => {
      assert.equal(decode(text).outcome, error);
      assert.equal(decodeChunks(text, everyByte(text.length)).outcome, error);
    });
  }

  test('is not done before its very last byte', () => {
    for (const text of ['5\r\nhello\r\n0\r\n\r\n', '0\r\nX: y\r\n\r\n', '5;a=b\r\nhello\r\n00;c\r\n\r\n']) {
      for (let length = 0; length < text.length; length += 1)
        assert.equal(decode(text.slice(0, length)).outcome, 'more');
      assert.equal(decode(text).outcome, 'done');
    }
  });

  test('yields payload as ranges of the given buffer', () => {
    const decoder = new ChunkedDecoder();
    const bytes = Buffer.from('xx5\r\nhello\r\n3\r\nab', 'latin1');
    assert.equal(decoder.next(bytes, 2, bytes.length), DecodeEvent.DATA);
    assert.deepEqual([decoder.dataStart, decoder.dataEnd, decoder.position], [5, 10, 10]);
    assert.equal(decoder.next(bytes, 10, bytes.length), DecodeEvent.DATA);
    assert.deepEqual([decoder.dataStart, decoder.dataEnd], [15, 17]);
    assert.equal(decoder.next(bytes, 17, bytes.length), DecodeEvent.NEED_MORE);
    assert.equal(decoder.payloadBytes, 7);
  });

  test('may be followed by another in the same decoder', () => {
    const decoder = new ChunkedDecoder();
    const first = Buffer.from('1;a\r\nx\r\n0\r\nX-T: v\r\n\r\n', 'latin1');
    decoder.next(first, 0, first.length);
    assert.equal(decoder.next(first, decoder.position, first.length), DecodeEvent.DONE);
    assert.deepEqual(decoder.trailers, ['X-T', 'v']);
    decoder.reset();
    const second = Buffer.from('0\r\n\r\n', 'latin1');
    assert.equal(decoder.next(second, 0, second.length), DecodeEvent.DONE);
    assert.deepEqual([decoder.trailers, decoder.payloadBytes], [null, 0]);
  });
});

describe('limits on chunked bodies', () => {
  const limits: ChunkLimits = { extensionBytes: 10, trailerBytes: 20, trailerFields: 2 };

  test('extensions up to the limit are accepted, one byte more is not', () => {
    assert.equal(decode('0;123456789\r\n\r\n', limits).outcome, 'done');
    assert.equal(decode('0;1234567890\r\n\r\n', limits).outcome, 'chunk-line-too-long');
  });

  test('an endless extension is refused at the limit', () => {
    assert.equal(decode(`5;${'a'.repeat(10)}`, limits).outcome, 'chunk-line-too-long');
    assert.equal(decode(`5${' '.repeat(11)}`, limits).outcome, 'chunk-line-too-long');
  });

  test('trailers up to the limit are accepted, one byte more is not', () => {
    const trailersOf = (size: number): string => `0\r\nX: ${'x'.repeat(size - 7)}\r\n\r\n`;
    assert.equal(decode(trailersOf(20), limits).outcome, 'done');
    assert.equal(decode(trailersOf(21), limits).outcome, 'trailers-too-large');
    assert.equal(decode(`0\r\nX: ${'a'.repeat(18)}`, limits).outcome, 'trailers-too-large');
  });

  test('trailer fields up to the limit are accepted, one more is not', () => {
    assert.equal(decode('0\r\nA: 1\r\nB: 2\r\n\r\n', limits).outcome, 'done');
    assert.equal(decode('0\r\nA:1\r\nB:2\r\nC:3\r\n\r\n', limits).outcome, 'trailers-too-large');
  });
});
