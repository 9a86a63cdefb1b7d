// Bodies of known length, and those until close.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DecodeEvent } from '../../../../proxy/http1/decode-event.ts';
import { LengthDecoder } from '../../../../proxy/http1/length-decoder.ts';

const BYTES = new Uint8Array(100);

describe('length decoder', () => {
  test('takes what belongs to the body and leaves the rest', () => {
    const decoder = new LengthDecoder();
    decoder.reset(5);
    assert.equal(decoder.next(BYTES, 10, 20), DecodeEvent.DATA);
    assert.deepEqual([decoder.dataStart, decoder.dataEnd, decoder.position], [10, 15, 15]);
    assert.equal(decoder.next(BYTES, 15, 20), DecodeEvent.DONE);
    assert.equal(decoder.position, 15);
    assert.equal(decoder.payloadBytes, 5);
  });

  test('goes on over several reads', () => {
    const decoder = new LengthDecoder();
    decoder.reset(5);
    assert.equal(decoder.next(BYTES, 0, 3), DecodeEvent.DATA);
    assert.equal(decoder.next(BYTES, 3, 3), DecodeEvent.NEED_MORE);
    assert.equal(decoder.remainingBytes, 2);
    assert.equal(decoder.next(BYTES, 50, 60), DecodeEvent.DATA);
    assert.deepEqual([decoder.dataStart, decoder.dataEnd], [50, 52]);
    assert.equal(decoder.next(BYTES, 52, 60), DecodeEvent.DONE);
  });

  test('a body of no bytes is done at once, and a decoder may be used again', () => {
    const decoder = new LengthDecoder();
    decoder.reset(0);
    assert.equal(decoder.next(BYTES, 7, 7), DecodeEvent.DONE);
    assert.equal(decoder.position, 7);
    decoder.reset(1);
    assert.equal(decoder.payloadBytes, 0);
    assert.equal(decoder.next(BYTES, 0, 9), DecodeEvent.DATA);
  });

  test('a body until close never ends by itself', () => {
    const decoder = new LengthDecoder();
    decoder.reset(Number.POSITIVE_INFINITY);
    for (let read = 0; read < 3; read += 1) {
      assert.equal(decoder.next(BYTES, 0, 100), DecodeEvent.DATA);
      assert.equal(decoder.next(BYTES, 100, 100), DecodeEvent.NEED_MORE);
    }
    assert.equal(decoder.payloadBytes, 300);
  });
});
