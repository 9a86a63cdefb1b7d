// HPACK against the examples of RFC 7541 appendix C, and malformed blocks. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldList } from '../../../../core/head.ts';
import { Decoded, HpackDecoder } from '../../../../proxy/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../../proxy/http2/hpack-encoder.ts';
import { BlockCursor, writeInteger } from '../../../../proxy/http2/hpack-integer.ts';
import { decodeHuffman, encodeHuffman, huffmanBytes } from '../../../../proxy/http2/huffman.ts';

const LIMITS = { listBytes: 65_536, fields: 200 };
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function decode(decoder: HpackDecoder, bytes: Buffer): { result: Decoded; fields: string[] } {
  const fields: string[] = [];
  // Foreign bytes around the block: a read past it would show.
  const padded = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0xff])]);
  const result = decoder.decode(padded, 1, 1 + bytes.length, ({ name, value }) => fields.push(name, value));
  return { result, fields };
}

interface Sequence {
  readonly name: string;
  readonly tableBytes: number;
  /** Block in hex, the fields that it stands for, and the bytes of the dynamic table after it. */
  readonly blocks: readonly (readonly [block: string, fields: FieldList, tableBytes: number])[];
}

const REQUEST_1 = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
const REQUEST_2 = [...REQUEST_1, 'cache-control', 'no-cache'];
const REQUEST_3 = [
  ':method',
  'GET',
  ':scheme',
  'https',
  ':path',
  '/index.html',
  ':authority',
  'www.example.com',
  'custom-key',
  'custom-value',
];
const DATE_1 = 'Mon, 21 Oct 2013 20:13:21 GMT';
const DATE_2 = 'Mon, 21 Oct 2013 20:13:22 GMT';
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const responseFields = (status: string, date: string): string[] => [
  ':status',
  status,
  'cache-control',
  'private',
  'date',
  date,
  'location',
  'https://www.example.com',
];
const RESPONSE_3 = [
  ':status',
  '200',
  'cache-control',
  'private',
  'date',
  DATE_2,
  'location',
  'https://www.example.com',
  'content-encoding',
  'gzip',
  'set-cookie',
  COOKIE,
];

const SEQUENCES: readonly Sequence[] = [
  {
    name: 'C.2.1 a literal with indexing',
    tableBytes: 4096,
    blocks: [['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key', 'custom-header'], 55]],
  },
  {
    name: 'C.2.2 a literal without indexing',
    tableBytes: 4096,
    blocks: [['040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path'], 0]],
  },
  {
    name: 'C.2.3 a literal that is never indexed',
    tableBytes: 4096,
    blocks: [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret'], 0]],
  },
  { name: 'C.2.4 an indexed field', tableBytes: 4096, blocks: [['82', [':method', 'GET'], 0]] },
  {
    name: 'C.3 requests without Huffman coding',
    tableBytes: 4096,
    blocks: [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', REQUEST_1, 57],
      ['8286 84be 5808 6e6f 2d63 6163 6865', REQUEST_2, 110],
      ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', REQUEST_3, 164],
    ],
  },
  {
    name: 'C.4 requests with Huffman coding',
    tableBytes: 4096,
    blocks: [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', REQUEST_1, 57],
      ['8286 84be 5886 a8eb 1064 9cbf', REQUEST_2, 110],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', REQUEST_3, 164],
    ],
  },
  {
    name: 'C.6 responses with Huffman coding and eviction',
    tableBytes: 256,
    blocks: [
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        responseFields('302', DATE_1),
        222,
      ],
      ['4883 640e ffc1 c0bf', responseFields('307', DATE_1), 222],
      [
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
        RESPONSE_3,
        215,
      ],
    ],
  },
];

describe('RFC 7541 appendix C', () => {
  for (const { name, tableBytes, blocks } of SEQUENCES) {
    test(name, () => {
      const decoder = new HpackDecoder(tableBytes, LIMITS);
      for (const [block, fields, size] of blocks) {
        assert.deepEqual(decode(decoder, hex(block)), { result: Decoded.OK, fields });
        assert.equal(decoder.tableBytes, size);
      }
    });
  }

  for (const [value, bits, bytes] of [
    [10, 5, '0a'],
    [1337, 5, '1f 9a 0a'],
    [42, 8, '2a'],
  ] as const) {
    test(`C.1 the integer ${value} with a prefix of ${bits} bits`, () => {
      const out = Buffer.alloc(8);
      assert.equal(out.toString('hex', 0, writeInteger(value, bits, 0, out, 0)), bytes.replaceAll(' ', ''));
      const cursor = new BlockCursor();
      cursor.set(hex(bytes), 0, hex(bytes).length);
      assert.equal(cursor.readInteger(bits), value);
    });
  }
});

const MALFORMED: readonly (readonly [name: string, block: string])[] = [
  ['index 0', '80'],
  ['an index beyond both tables', 'be'],
  ['a name index beyond both tables', '7f 00 01 61'],
  ['a truncated integer', 'ff'],
  ['an integer of five groups', 'ff 80 80 80 80 01'],
  ['an integer above 2^28', 'ff ff ff ff ff 7f'],
  ['a name without a value', '40 01 61'],
  ['a string beyond the block', '40 05 61'],
  ['a length that wraps', '40 7f ff ff ff 7f 61'],
  ['a size update after a field', '82 20'],
  ['a size update beyond the announced limit', '3f e2 1f'],
  ['three size updates', '20 20 20 82'],
  ['EOS in a string', '40 84 ff ff ff ff 01 61'],
  ['padding of 8 bits', '40 82 1f ff 01 61'],
  ['padding of zeros', '40 81 18 01 61'],
];

describe('a malformed block', () => {
  for (const [name, block] of MALFORMED) {
    test(`is refused: ${name}`, () => {
      assert.equal(decode(new HpackDecoder(4096, LIMITS), hex(block)).result, Decoded.MALFORMED);
    });
  }
});

test('a list beyond its limits is decoded to its end, and later blocks still agree', () => {
  const decoder = new HpackDecoder(4096, { listBytes: 100, fields: 3 });
  const encoder = new HpackEncoder(4096);
  const large = ['a', 'x'.repeat(60), 'b', 'y'.repeat(60)];
  assert.deepEqual(decode(decoder, Buffer.from(encoder.encode(large))), {
    result: Decoded.TOO_LARGE,
    fields: ['a', 'x'.repeat(60)],
  });
  const many = ['a', '', 'b', '', 'c', '', 'd', ''];
  assert.equal(decode(decoder, Buffer.from(encoder.encode(many))).result, Decoded.TOO_LARGE);
  assert.deepEqual(decode(decoder, Buffer.from(encoder.encode(['b', 'y'.repeat(60)]))), {
    result: Decoded.OK,
    fields: ['b', 'y'.repeat(60)],
  });
});

test('an HPACK bomb is bounded by the decoded size', () => {
  const decoder = new HpackDecoder(4096, LIMITS);
  const insert = Buffer.concat([hex('40 01 61 7f 81 1e'), Buffer.alloc(4000, 'x')]);
  let emitted = 0;
  const bomb = Buffer.concat([insert, Buffer.alloc(16_000, 0xbe)]);
  const result = decoder.decode(bomb, 0, bomb.length, ({ value }) => {
    emitted += value.length;
  });
  assert.equal(result, Decoded.TOO_LARGE);
  assert.ok(emitted <= LIMITS.listBytes);
});

describe('the encoder', () => {
  test('never indexes secrets, and tells intermediaries not to', () => {
    const encoder = new HpackEncoder(4096);
    const block = Buffer.from(encoder.encode(['authorization', 'Basic YTpi', 'cookie', 'a=b']));
    assert.equal(block[0]! & 0xf0, 0x10);
    const decoder = new HpackDecoder(4096, LIMITS);
    assert.deepEqual(decode(decoder, block).fields, ['authorization', 'Basic YTpi', 'cookie', 'a=b']);
    assert.equal(decoder.tableBytes, 0);
  });

  test('announces a smaller table, and the smallest size in between', () => {
    const encoder = new HpackEncoder(4096);
    const decoder = new HpackDecoder(4096, LIMITS);
    const fields = ['x-a', 'value', 'x-b', 'value'];
    assert.deepEqual(decode(decoder, Buffer.from(encoder.encode(fields))).fields, fields);
    encoder.setPeerTableBytes(0);
    encoder.setPeerTableBytes(100);
    const block = Buffer.from(encoder.encode(fields));
    assert.equal(block[0], 0x20);
    assert.deepEqual(decode(decoder, block).fields, fields);
    assert.ok(decoder.tableBytes <= 100);
  });

  test('repeated fields take one byte each', () => {
    const encoder = new HpackEncoder(4096);
    const fields = [':status', '200', 'server', 'x', 'content-type', 'text/html; charset=utf-8'];
    encoder.encode(fields);
    assert.equal(encoder.encode(fields).length, 3);
  });
});

describe('Huffman coding', () => {
  test('the code is complete: every symbol has a prefix-free code, and together they fill the tree', () => {
    let share = 0;
    for (let symbol = 0; symbol < 256; symbol += 1) {
      const text = String.fromCharCode(symbol).repeat(8);
      // Eight codes take as many bytes as one has bits.
      share += 2 ** -huffmanBytes(text);
      const out = Buffer.alloc(40);
      const end = encodeHuffman(text, out, 0);
      assert.equal(end, huffmanBytes(text));
      assert.equal(decodeHuffman(out, 0, end), text);
    }
    assert.equal(share + 2 ** -30, 1);
  });
});
