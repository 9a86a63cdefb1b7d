// Conformance cases for header compression (RFC 7541), sent in HEADERS of a request. Thread: main.

import { writeInteger } from '../../../proxy/http2/hpack-integer.ts';
import { encodeHuffman, huffmanBytes } from '../../../proxy/http2/huffman.ts';
import { ErrorCode } from '../../../proxy/http2/error-code.ts';
import { connectionError, headers, type Http2Case, requestBlock, response, together } from './case.ts';

const { COMPRESSION_ERROR } = ErrorCode;
const HEADER_TABLE_SIZE = 1;

function integer(value: number, bits: number, flags: number): Buffer {
  const out = Buffer.alloc(8);
  return out.subarray(0, writeInteger(value, bits, flags, out, 0));
}

function text(value: string, isCoded: boolean): Buffer {
  if (!isCoded) return together(integer(value.length, 7, 0), Buffer.from(value, 'latin1'));
  const coded = Buffer.alloc(huffmanBytes(value));
  encodeHuffman(value, coded, 0);
  return together(integer(coded.length, 7, 0x80), coded);
}

const REPRESENTATIONS = [
  ['with incremental indexing', 0x40, 6],
  ['without indexing', 0x00, 4],
  ['never indexed', 0x10, 4],
] as const;
/** Index of user-agent. */
const USER_AGENT = 58;

const ACCEPTED: readonly Http2Case[] = REPRESENTATIONS.flatMap(([name, flags, bits]) =>
  [false, true].flatMap((isCoded): Http2Case[] =>
    [
      ['an indexed name', together(integer(USER_AGENT, bits, flags), text('conform', isCoded))],
      ['a new name', together(Buffer.from([flags]), text('x-test', isCoded), text('conform', isCoded))],
    ].map(([form, field]) => ({
      section: 'HPACK 6.2',
      name: `a literal ${name}, ${form as string}${isCoded ? ', Huffman-coded' : ''}, is accepted`,
      steps: (scheme) => [headers(1, together(requestBlock(scheme), field as Buffer)), response(1)],
    })),
  ),
);

const refused = (section: string, name: string, bytes: string): Http2Case => ({
  section: `HPACK ${section}`,
  name,
  steps: (scheme) => [
    headers(1, together(requestBlock(scheme), Buffer.from(bytes.replaceAll(' ', ''), 'hex'))),
    connectionError(COMPRESSION_ERROR),
  ],
});

/** A literal without indexing, x-test, whose value is the given Huffman code. */
const coded = (name: string, bytes: string): Http2Case => refused('5.2', name, `00 85 f2b24a84ff ${bytes}`);

export const HPACK_CASES: readonly Http2Case[] = [
  {
    section: 'HPACK 6.1',
    name: 'an indexed field is accepted',
    steps: (scheme) => [headers(1, together(requestBlock(scheme), integer(USER_AGENT, 7, 0x80))), response(1)],
  },
  ...ACCEPTED,
  {
    section: 'HPACK 6.3',
    name: 'an update of the table size is accepted',
    steps: (scheme) => [headers(1, together(integer(128, 5, 0x20), requestBlock(scheme))), response(1)],
  },
  {
    section: 'HPACK 4.2',
    name: 'two updates of the table size are accepted',
    steps: (scheme) => [
      headers(1, together(integer(128, 5, 0x20), integer(4096, 5, 0x20), requestBlock(scheme))),
      response(1),
    ],
  },
  refused('2.3.3', 'an indexed field beyond the tables', 'c6'),
  refused('2.3.3', 'a name beyond the tables', '7f 07 00'),
  refused('4.2', 'an update of the table size at the end of a block', '21'),
  coded('a Huffman code with padding of more than 7 bits', '84 49509fff'),
  coded('a Huffman code padded with zeros', '83 495090'),
  coded('a Huffman code with the end of the string in it', '87 4951fffffffa7f'),
  refused('6.1', 'index 0', '80'),
  {
    section: 'HPACK 6.3',
    name: 'an update of the table size beyond SETTINGS_HEADER_TABLE_SIZE',
    steps: (scheme, { settings }) => [
      headers(1, together(integer((settings.get(HEADER_TABLE_SIZE) ?? 4096) + 1, 5, 0x20), requestBlock(scheme))),
      connectionError(COMPRESSION_ERROR),
    ],
  },
];
