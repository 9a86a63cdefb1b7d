// Conformance cases for the preface, the format of frames, and frames of streams (RFC 9113 sections 3.4, 4, 5.5 and 6). Thread: main.

import { ErrorCode } from '../../../proxy/http2/error-code.ts';
import { FLAG, FRAME, frame, PREFACE, uint32 } from '../../support/http2-frames.ts';
import { resetFrame, settingsFrame } from '../../support/http2-probe.ts';
import {
  CLOSED,
  connectionError,
  continuation,
  data,
  errorFrame,
  headers,
  type Http2Case,
  largeFields,
  openHeaders,
  PING,
  pong,
  PONG_OR_CLOSED,
  priority,
  priorityFields,
  requestBlock,
  response,
  SERVER_PREFACE,
  streamError,
  together,
} from './case.ts';

const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR, CANCEL, STREAM_CLOSED } = ErrorCode;

const INITIAL_WINDOW_SIZE = 4;
const EIGHT = Buffer.alloc(8);
const UNKNOWN_TYPE = 0x16;
const POST = { ':method': 'POST' };

export const PREFACE_CASES: readonly Http2Case[] = [
  {
    section: '3.4',
    name: 'the first frame of the server is SETTINGS',
    isWithoutHandshake: true,
    steps: () => [together(PREFACE, settingsFrame([INITIAL_WINDOW_SIZE, 65_535])), SERVER_PREFACE],
  },
  {
    section: '3.4',
    name: 'an invalid preface ends the connection',
    isWithoutHandshake: true,
    steps: () => [Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n'), CLOSED],
  },
];

export const FORMAT_CASES: readonly Http2Case[] = [
  {
    section: '4.1',
    name: 'a frame of an unknown type is ignored',
    steps: () => [together(frame(UNKNOWN_TYPE, 0, 0, EIGHT), PING), pong()],
  },
  {
    section: '4.1',
    name: 'undefined flags are ignored',
    steps: () => [frame(FRAME.ping, 0x16, 0, EIGHT), pong(EIGHT)],
  },
  {
    section: '4.1',
    name: 'the reserved bit of a stream identifier is ignored',
    steps: () => [frame(FRAME.ping, 0, 0x8000_0000, EIGHT), pong(EIGHT)],
  },
  {
    section: '4.2',
    name: 'DATA of 2^14 bytes is received',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme, POST), false), data(1, 'x'.repeat(16_384))),
      response(1),
    ],
  },
  {
    section: '4.2',
    name: 'DATA beyond SETTINGS_MAX_FRAME_SIZE is refused',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme, POST), false), data(1, 'x'.repeat(16_385))),
      streamError(FRAME_SIZE_ERROR),
    ],
  },
  {
    section: '4.2',
    name: 'HEADERS beyond SETTINGS_MAX_FRAME_SIZE are refused',
    steps: (scheme) => [headers(1, together(requestBlock(scheme), largeFields(5))), connectionError(FRAME_SIZE_ERROR)],
  },
  {
    section: '4.3',
    name: 'an invalid header block is an error of compression',
    steps: () => [headers(1, Buffer.from([0x40])), connectionError(COMPRESSION_ERROR)],
  },
  {
    section: '4.3',
    name: 'PRIORITY within a header block',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme), false), priority(1), continuation(1, largeFields(1))),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '4.3',
    name: 'HEADERS of another stream within a header block',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme), false), headers(3, requestBlock(scheme))),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '5.4.1',
    name: 'the connection is closed after an error',
    steps: () => [frame(FRAME.ping, 0, 3, EIGHT), CLOSED],
  },
  {
    section: '5.4.1',
    name: 'GOAWAY is sent for an error',
    steps: () => [frame(FRAME.ping, 0, 3, EIGHT), errorFrame(FRAME.goaway, PROTOCOL_ERROR)],
  },
  {
    section: '5.5',
    name: 'an extension frame of the connection is ignored',
    steps: () => [together(frame(UNKNOWN_TYPE, 0xff, 0, EIGHT), PING), pong()],
  },
  {
    section: '5.5',
    name: 'an extension frame within a header block',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme)), frame(UNKNOWN_TYPE, 0, 0, EIGHT)),
      connectionError(PROTOCOL_ERROR),
    ],
  },
];

const padded = (stream: number, text: string, padding: number): Buffer =>
  frame(
    FRAME.data,
    FLAG.padded | FLAG.endStream,
    stream,
    together(Buffer.from([padding]), Buffer.from(text), Buffer.alloc(padding)),
  );

export const DATA_CASES: readonly Http2Case[] = [
  {
    section: '6.1',
    name: 'DATA is received',
    steps: (scheme) => [together(headers(1, requestBlock(scheme, POST), false), data(1)), response(1)],
  },
  {
    section: '6.1',
    name: 'several DATA frames are received',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme, POST), false), data(1, 'test', false), data(1)),
      response(1),
    ],
  },
  {
    section: '6.1',
    name: 'padded DATA is received',
    steps: (scheme) => [together(headers(1, requestBlock(scheme, POST), false), padded(1, 'test', 5)), response(1)],
  },
  { section: '6.1', name: 'DATA on stream 0', steps: () => [data(0), connectionError(PROTOCOL_ERROR)] },
  {
    section: '6.1',
    name: 'DATA on a half-closed stream',
    steps: (scheme) => [together(headers(1, requestBlock(scheme, POST)), data(1)), streamError(STREAM_CLOSED)],
  },
  {
    section: '6.1',
    name: 'DATA with a pad length beyond its payload',
    steps: (scheme) => [
      together(
        headers(1, requestBlock(scheme, { ...POST, 'content-length': '4' }), false),
        frame(FRAME.data, FLAG.padded | FLAG.endStream, 1, Buffer.from('\x06Test')),
      ),
      connectionError(PROTOCOL_ERROR),
    ],
  },
];

export const HEADERS_CASES: readonly Http2Case[] = [
  { section: '6.2', name: 'HEADERS are received', steps: (scheme) => [headers(1, requestBlock(scheme)), response(1)] },
  {
    section: '6.2',
    name: 'padded HEADERS are received',
    steps: (scheme) => {
      const block = together(Buffer.from([8]), requestBlock(scheme), Buffer.alloc(8));
      return [frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream | FLAG.padded, 1, block), response(1)];
    },
  },
  {
    section: '6.2',
    name: 'HEADERS with a priority are received',
    steps: (scheme) => {
      const block = together(priorityFields(0, 254), requestBlock(scheme));
      return [frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream | FLAG.priority, 1, block), response(1)];
    },
  },
  {
    section: '6.2',
    name: 'PRIORITY after HEADERS without END_HEADERS',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme), false), priority(1), continuation(1, largeFields(1))),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '6.2',
    name: 'HEADERS of another stream after HEADERS without END_HEADERS',
    steps: (scheme) => [
      together(
        openHeaders(1, requestBlock(scheme), false),
        headers(3, requestBlock(scheme)),
        continuation(1, largeFields(1)),
      ),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '6.2',
    name: 'HEADERS on stream 0',
    steps: (scheme) => [headers(0, requestBlock(scheme)), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '6.2',
    name: 'HEADERS with a pad length beyond their payload',
    steps: (scheme) => {
      const block = requestBlock(scheme);
      const flags = FLAG.endHeaders | FLAG.endStream | FLAG.padded;
      return [
        frame(FRAME.headers, flags, 1, together(Buffer.from([block.length + 2]), block)),
        streamError(PROTOCOL_ERROR),
      ];
    },
  },
];

export const PRIORITY_CASES: readonly Http2Case[] = [
  ...(
    [
      ['the lowest weight', [priority(1, 0, 0)]],
      ['the highest weight', [priority(1, 0, 255)]],
      ['a dependency', [priority(3, 1, 255)]],
      ['an exclusive dependency', [priority(1, 0, 255, true)]],
      ['a higher idle stream', [priority(3)]],
    ] as const
  ).map(
    ([name, frames]): Http2Case => ({
      section: '6.3',
      name: `PRIORITY with ${name} is accepted`,
      steps: (scheme) => [together(...frames, headers(1, requestBlock(scheme))), response(1)],
    }),
  ),
  { section: '6.3', name: 'PRIORITY on stream 0', steps: () => [priority(0), connectionError(PROTOCOL_ERROR)] },
  {
    section: '6.3',
    name: 'PRIORITY of the wrong size',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme)), frame(FRAME.priority, 0, 1, uint32(0x8000_0001))),
      streamError(FRAME_SIZE_ERROR),
    ],
  },
];

export const RESET_CASES: readonly Http2Case[] = [
  {
    section: '6.4',
    name: 'RST_STREAM is accepted',
    steps: (scheme) => [together(headers(1, requestBlock(scheme), false), resetFrame(1, CANCEL), PING), PONG_OR_CLOSED],
  },
  {
    section: '6.4',
    name: 'RST_STREAM on stream 0',
    steps: () => [resetFrame(0, CANCEL), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '6.4',
    name: 'RST_STREAM on an idle stream',
    steps: () => [resetFrame(1, CANCEL), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '6.4',
    name: 'RST_STREAM of the wrong size',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme)), frame(FRAME.rstStream, 0, 1, Buffer.alloc(3))),
      streamError(FRAME_SIZE_ERROR),
    ],
  },
];
