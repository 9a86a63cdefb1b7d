// The messages of the gRPC health protocol, byte by byte. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeCheckResponse, encodeCheckRequest } from '../../../../health/checkers/grpc-health-message.ts';

const framed = (message: readonly number[], { flag = 0, length = message.length } = {}): Buffer =>
  Buffer.of(flag, 0, 0, length >> 8, length & 0xff, ...message);

describe('the request', () => {
  test('about the whole endpoint is an empty message', () => {
    assert.deepEqual(encodeCheckRequest(''), Buffer.of(0, 0, 0, 0, 0));
  });

  test('names a service in field 1', () => {
    assert.deepEqual(encodeCheckRequest('a.B'), Buffer.of(0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x2e, 0x42));
  });

  test('encodes the length of a long name in two bytes', () => {
    const bytes = encodeCheckRequest('x'.repeat(300));
    assert.equal(bytes.readUInt32BE(1), 303);
    assert.deepEqual([...bytes.subarray(5, 8)], [0x0a, 0b1010_1100, 0b0000_0010]);
    assert.equal(bytes.length, 308);
  });
});

describe('the answer', () => {
  const rows: readonly (readonly [title: string, bytes: Buffer, status: number | null])[] = [
    ['SERVING', framed([0x08, 1]), 1],
    ['NOT_SERVING', framed([0x08, 2]), 2],
    ['SERVICE_UNKNOWN', framed([0x08, 3]), 3],
    ['an empty message: a field that is left out is its zero, UNKNOWN', framed([]), 0],
    ['the last one of two', framed([0x08, 2, 0x08, 1]), 1],
    [
      'a status behind fields of later versions',
      framed([0x12, 2, 7, 7, 0x1d, 1, 2, 3, 4, 0x20, 0x80, 0x01, 0x08, 1]),
      1,
    ],
    ['64-bit fields are skipped', framed([0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 1]), 1],
    ['ten bytes of a negative number', framed([0x10, ...Array<number>(9).fill(0xff), 1, 0x08, 1]), 1],
    ['a status of another wire type is another field', framed([0x0a, 1, 1]), 0],
    ['compressed, which nobody asked for', framed([0x08, 1], { flag: 1 }), null],
    ['shorter than it says', framed([0x08, 1], { length: 3 }), null],
    ['longer than it says', framed([0x08, 1], { length: 1 }), null],
    ['nothing', Buffer.of(), null],
    ['half a prefix', Buffer.of(0, 0, 0), null],
    ['a field without a value', framed([0x08]), null],
    ['a number without end', framed([0x08, ...Array<number>(11).fill(0x80)]), null],
    ['bytes that end too early', framed([0x12, 9, 1]), null],
    ['a group, which is no part of proto3', framed([0x0b]), null],
  ];
  for (const [title, bytes, status] of rows) {
    test(`${title}: ${status}`, () => assert.equal(decodeCheckResponse(bytes), status));
  }
});
