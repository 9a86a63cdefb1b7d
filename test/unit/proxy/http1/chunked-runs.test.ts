// Passing a chunked body on with its framing: as it came where it may, written anew where it may not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChunkedDecoder } from '../../../../proxy/http1/chunked-decoder.ts';
import { DecodeEvent } from '../../../../proxy/http1/decode-event.ts';
import { decodeChunks } from '../../../support/http1-chunks.ts';
import { everyByte } from '../../../support/http1-reader.ts';

describe('runs of a chunked body', () => {
  test('are one range where body and end came together', () => {
    const decoder = new ChunkedDecoder();
    const text = '5\r\nhello\r\n006\r\n world\r\n0\r\n\r\n';
    const bytes = Buffer.from(`..${text}GET`, 'latin1');
    assert.equal(decoder.nextRun(bytes, 2, bytes.length), DecodeEvent.DATA);
    assert.equal(decoder.prefix, '');
    assert.equal(bytes.toString('latin1', decoder.dataStart, decoder.dataEnd), text);
    assert.equal(decoder.isTerminated, true);
    assert.equal(decoder.nextRun(bytes, decoder.position, bytes.length), DecodeEvent.DONE);
    assert.equal(decoder.position, 2 + text.length);
    assert.equal(decoder.payloadBytes, 11);
  });

  test('leave out a size line that came in pieces and write it anew', () => {
    const decoder = new ChunkedDecoder();
    const first = Buffer.from('1\r\nx\r\n00', 'latin1');
    assert.equal(decoder.nextRun(first, 0, first.length), DecodeEvent.DATA);
    assert.equal(first.toString('latin1', decoder.dataStart, decoder.dataEnd), '1\r\nx\r\n');
    assert.equal(decoder.nextRun(first, decoder.position, first.length), DecodeEvent.NEED_MORE);
    const second = Buffer.from('05\r\nhello', 'latin1');
    assert.equal(decoder.nextRun(second, 0, second.length), DecodeEvent.DATA);
    assert.equal(decoder.prefix, '5\r\n');
    assert.equal(second.toString('latin1', decoder.dataStart, decoder.dataEnd), 'hello');
  });

  const passed: readonly (readonly [what: string, text: string, written: string])[] = [
    ['extensions are dropped', '5;a=b\r\nhello\r\n1\r\nx\r\n0;c\r\n\r\n', '5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n'],
    [
      'extensions behind a plain chunk are dropped',
      '1\r\nx\r\nA;a\r\n0123456789\r\n0\r\n\r\n',
      '1\r\nx\r\na\r\n0123456789\r\n0\r\n\r\n',
    ],
    [
      'trailers are written anew',
      '1\r\nx\r\n0\r\nX-T:v\r\nx-u: \tw \r\n\r\n',
      '1\r\nx\r\n0\r\nX-T: v\r\nx-u: w\r\n\r\n',
    ],
    ['forbidden trailers are dropped', '1\r\nx\r\n0\r\nContent-Length: 9\r\n\r\n', '1\r\nx\r\n0\r\n\r\n'],
    ['a body of no chunk is its end alone', '0\r\n\r\n', '0\r\n\r\n'],
  ];
  for (const [what, text, written] of passed) {
    test(what, () => {
      for (const cuts of [[], [4], everyByte(text.length)]) {
        const decoded = decodeChunks(text, 'nextRun', cuts);
        assert.equal(decoded.outcome, 'done');
        assert.equal(decoded.output, written);
      }
    });
  }

  test('never hold a byte of a line that turned out malformed', () => {
    for (const bad of ['5;\r\n', '5z\r\n', '0x\r\n', '\n', '5\r\nhelloX', '0\r\nX : y\r\n\r\n']) {
      const text = `1\r\na\r\n${bad}`;
      const decoded = decodeChunks(text, 'nextRun', everyByte(text.length));
      assert.notEqual(decoded.outcome, 'done');
      assert.ok(['1\r\na\r\n', '1\r\na\r\n5\r\nhello'].includes(decoded.output), decoded.output);
    }
  });
});
