// Reasons for refusals from llhttp's errors. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isParseError,
  type ParseError,
  whyUnparsable,
} from '../../../../../proxy/downstream/node/node-http1-parse-error.ts';

/** An error in `packet` at the mark '!', which is taken out. */
function parseError(code: string, packet: string): ParseError {
  const bytesParsed = packet.indexOf('!');
  const rawPacket = Buffer.from(packet.replace('!', ''), 'latin1');
  return Object.assign(new Error(code), { code, bytesParsed, rawPacket });
}

describe('whyUnparsable', () => {
  for (const [code, packet, why] of [
    ['HPE_HEADER_OVERFLOW', `GET /${'a'.repeat(99)}!`, 'target-too-long'],
    ['HPE_HEADER_OVERFLOW', '\r\nGET /aaa! HTTP/1.1\r\n', 'target-too-long'],
    ['HPE_HEADER_OVERFLOW', 'GET / HTTP/1.1\r\nX: aaa!', 'head-too-large'],
    ['HPE_HEADER_OVERFLOW', 'aaaa!aaa', 'head-too-large'],
    ['HPE_INVALID_METHOD', 'B!REW /pot HTTP/1.1\r\nHost: a\r\n', 'method-not-served'],
    ['HPE_INVALID_METHOD', 'GET / HTTP/1.1\r\n\r\nB!REW /pot HTTP/1.1\r\n', 'method-not-served'],
    ['HPE_INVALID_METHOD', 'B!REW /pot HTTP/1.2\r\nHost: a\r\n', 'method-not-served'],
    ['HPE_INVALID_METHOD', 'B(!REW /pot HTTP/1.1\r\n', 'malformed'],
    ['HPE_INVALID_METHOD', '\x16\x03!\x01', 'malformed'],
    ['HPE_INVALID_VERSION', 'GET / HTTP/3.!0\r\n', 'version-not-supported'],
    ['HPE_INVALID_VERSION', 'GET / HTTP/1.1!\n', 'malformed'],
    ['HPE_INVALID_VERSION', 'GET / HTTP/1.!32\r\n', 'malformed'],
    ['HPE_INVALID_HEADER_TOKEN', 'GET / HTTP/1.1\r\nX !: a', 'malformed'],
  ] as const) {
    test(`${code} in ${JSON.stringify(packet.slice(0, 40))} is ${why}`, () => {
      assert.equal(whyUnparsable(parseError(code, packet)), why);
    });
  }

  test('an error without its packet is one, too', () => {
    const bare = Object.assign(new Error('x'), { code: 'HPE_INVALID_METHOD' });
    assert.equal(whyUnparsable(bare), 'malformed');
  });
});

describe('isParseError', () => {
  for (const [code, is] of [
    ['HPE_INVALID_URL', true],
    ['HPE_INVALID_EOF_STATE', false],
    ['ECONNRESET', false],
  ] as const) {
    test(`${code}: ${is}`, () => assert.equal(isParseError(parseError(code, '')), is));
  }
});
