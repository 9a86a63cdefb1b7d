// Conformance cases for SETTINGS, PING, GOAWAY, windows and CONTINUATION (RFC 9113 sections 6.5 to 7). Thread: main.

import { ErrorCode } from '../../../proxy/http2/error-code.ts';
import { fieldSection, FLAG, FRAME, frame, uint32 } from '../../support/http2-frames.ts';
import { resetFrame, settingsFrame, windowUpdateFrame } from '../../support/http2-probe.ts';
import {
  connectionError,
  continuation,
  data,
  dataOf,
  errorFrame,
  headers,
  type Http2Case,
  largeFields,
  openHeaders,
  PING,
  pong,
  PONG_OR_CLOSED,
  requestBlock,
  response,
  SETTINGS_ACK,
  streamError,
  together,
} from './case.ts';

const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR } = ErrorCode;

const INITIAL_WINDOW_SIZE = 4;
const MAX_WINDOW = 0x7fff_ffff;
const EIGHT = Buffer.alloc(8);
const UNKNOWN_CODE = 0xff;
const POST = { ':method': 'POST' };

export const SETTINGS_CASES: readonly Http2Case[] = [
  {
    section: '6.5',
    name: 'SETTINGS are accepted',
    steps: () => [settingsFrame([1, 4096], [2, 1], [3, 100], [4, 65_535], [5, 16_384], [6, 100]), SETTINGS_ACK],
  },
  {
    section: '6.5',
    name: 'SETTINGS with ACK and a payload',
    steps: () => [frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(1)), connectionError(FRAME_SIZE_ERROR)],
  },
  {
    section: '6.5',
    name: 'SETTINGS on a stream',
    steps: () => [frame(FRAME.settings, 0, 1, Buffer.from([0, 3, 0, 0, 0, 100])), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '6.5',
    name: 'SETTINGS of the wrong size',
    steps: () => [frame(FRAME.settings, 0, 0, Buffer.from([0, 3, 0])), connectionError(FRAME_SIZE_ERROR)],
  },
  ...(
    [
      ['ENABLE_PUSH of 2', 2, 2, PROTOCOL_ERROR],
      ['INITIAL_WINDOW_SIZE above 2^31 - 1', INITIAL_WINDOW_SIZE, MAX_WINDOW + 1, FLOW_CONTROL_ERROR],
      ['MAX_FRAME_SIZE below 2^14', 5, 16_383, PROTOCOL_ERROR],
      ['MAX_FRAME_SIZE above 2^24 - 1', 5, 16_777_216, PROTOCOL_ERROR],
    ] as const
  ).map(
    ([name, setting, value, code]): Http2Case => ({
      section: '6.5.2',
      name,
      steps: () => [settingsFrame([setting, value]), connectionError(code)],
    }),
  ),
  {
    section: '6.5.2',
    name: 'an unknown setting is ignored',
    steps: () => [together(settingsFrame([0xff, 1]), PING), pong()],
  },
  {
    section: '6.5.3',
    name: 'the last value of a setting applies',
    steps: (scheme) => [
      settingsFrame([INITIAL_WINDOW_SIZE, 100], [INITIAL_WINDOW_SIZE, 1]),
      SETTINGS_ACK,
      headers(1, requestBlock(scheme)),
      dataOf(1),
    ],
  },
  { section: '6.5.3', name: 'SETTINGS are acknowledged', steps: () => [settingsFrame([2, 0]), SETTINGS_ACK] },
];

export const CONNECTION_CASES: readonly Http2Case[] = [
  {
    section: '6.6',
    name: 'PUSH_PROMISE of a client',
    steps: (scheme) => [
      frame(FRAME.pushPromise, FLAG.endHeaders, 1, together(uint32(3), requestBlock(scheme))),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  { section: '6.7', name: 'PING is acknowledged', steps: () => [PING, pong()] },
  {
    section: '6.7',
    name: 'PING with ACK is not acknowledged',
    steps: () => [together(frame(FRAME.ping, FLAG.ack, 0, Buffer.from('invalid.')), PING), pong()],
  },
  {
    section: '6.7',
    name: 'PING on a stream',
    steps: () => [frame(FRAME.ping, 0, 1, EIGHT), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '6.7',
    name: 'PING of the wrong size',
    steps: () => [frame(FRAME.ping, 0, 0, Buffer.alloc(6)), connectionError(FRAME_SIZE_ERROR)],
  },
  {
    section: '6.8',
    name: 'GOAWAY is accepted',
    steps: () => [together(frame(FRAME.goaway, 0, 0, Buffer.alloc(14)), PING), PONG_OR_CLOSED],
  },
  {
    section: '6.8',
    name: 'GOAWAY on a stream',
    steps: () => [frame(FRAME.goaway, 0, 1, EIGHT), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '7',
    name: 'GOAWAY with an unknown code',
    steps: () => [together(frame(FRAME.goaway, 0, 0, together(uint32(0), uint32(UNKNOWN_CODE))), PING), PONG_OR_CLOSED],
  },
  {
    section: '7',
    name: 'RST_STREAM with an unknown code',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme, POST), false), resetFrame(1, UNKNOWN_CODE), PING),
      PONG_OR_CLOSED,
    ],
  },
];

export const WINDOW_CASES: readonly Http2Case[] = [
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of the connection is accepted',
    steps: () => [together(windowUpdateFrame(0, 1), PING), pong()],
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of a stream is accepted',
    steps: (scheme) => [together(headers(1, requestBlock(scheme)), windowUpdateFrame(1, 1)), response(1)],
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of the connection by 0',
    steps: () => [windowUpdateFrame(0, 0), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of a stream by 0',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme), false), windowUpdateFrame(1, 0)),
      streamError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of the wrong size',
    steps: () => [frame(FRAME.windowUpdate, 0, 0, Buffer.from([0, 0, 1])), connectionError(FRAME_SIZE_ERROR)],
  },
  {
    section: '6.9.1',
    name: 'a window of one byte is respected',
    steps: (scheme) => [
      settingsFrame([INITIAL_WINDOW_SIZE, 1]),
      SETTINGS_ACK,
      headers(1, requestBlock(scheme)),
      dataOf(1),
    ],
  },
  {
    section: '6.9.1',
    name: 'a window of the connection above 2^31 - 1',
    steps: () => [
      together(windowUpdateFrame(0, MAX_WINDOW), windowUpdateFrame(0, MAX_WINDOW)),
      errorFrame(FRAME.goaway, FLOW_CONTROL_ERROR),
    ],
  },
  {
    section: '6.9.1',
    name: 'a window of a stream above 2^31 - 1',
    steps: (scheme) => [
      together(
        headers(1, requestBlock(scheme), false),
        windowUpdateFrame(1, MAX_WINDOW),
        windowUpdateFrame(1, MAX_WINDOW),
      ),
      errorFrame(FRAME.rstStream, FLOW_CONTROL_ERROR),
    ],
  },
  {
    section: '6.9.2',
    name: 'a changed initial window applies to open streams',
    steps: (scheme) => [
      settingsFrame([INITIAL_WINDOW_SIZE, 0]),
      SETTINGS_ACK,
      together(headers(1, requestBlock(scheme)), settingsFrame([INITIAL_WINDOW_SIZE, 1])),
      dataOf(1),
    ],
  },
  {
    section: '6.9.2',
    name: 'a window may become negative',
    steps: (scheme) => [
      settingsFrame([INITIAL_WINDOW_SIZE, 3]),
      SETTINGS_ACK,
      headers(1, requestBlock(scheme)),
      dataOf(3),
      settingsFrame([INITIAL_WINDOW_SIZE, 2]),
      SETTINGS_ACK,
      windowUpdateFrame(1, 2),
      dataOf(1),
    ],
  },
  {
    section: '6.9.2',
    name: 'an initial window above 2^31 - 1',
    steps: () => [settingsFrame([INITIAL_WINDOW_SIZE, 0x8000_0000]), connectionError(FLOW_CONTROL_ERROR)],
  },
];

const split = (block: Buffer, ...at: readonly number[]): Buffer[] =>
  [0, ...at].map((from, index) => block.subarray(from, at[index] ?? block.length));

export const CONTINUATION_CASES: readonly Http2Case[] = [
  {
    section: '6.10',
    name: 'a block in two frames',
    steps: (scheme) => {
      const [first, rest] = split(requestBlock(scheme), 5);
      return [together(openHeaders(1, first!), continuation(1, rest!)), response(1)];
    },
  },
  {
    section: '6.10',
    name: 'a block in three frames',
    steps: (scheme) => {
      const [first, second, rest] = split(requestBlock(scheme), 5, 10);
      return [together(openHeaders(1, first!), continuation(1, second!, false), continuation(1, rest!)), response(1)];
    },
  },
  {
    section: '6.10',
    name: 'more fields in CONTINUATION frames',
    steps: (scheme) => [
      together(
        openHeaders(1, requestBlock(scheme)),
        continuation(1, fieldSection(['x-a', 'x'.repeat(2000)]), false),
        continuation(1, fieldSection(['x-b', 'x'.repeat(2000)])),
      ),
      response(1),
    ],
  },
  {
    section: '6.10',
    name: 'DATA after CONTINUATION without END_HEADERS',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme, POST), false), continuation(1, largeFields(1), false), data(1)),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '6.10',
    name: 'CONTINUATION on stream 0',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme)), continuation(0, largeFields(1))),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '6.10',
    name: 'CONTINUATION after HEADERS with END_HEADERS',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme)), continuation(1, largeFields(1))),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '6.10',
    name: 'CONTINUATION after CONTINUATION with END_HEADERS',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme)), continuation(1, largeFields(1)), continuation(1, largeFields(1))),
      connectionError(PROTOCOL_ERROR),
    ],
  },
  {
    section: '6.10',
    name: 'CONTINUATION after DATA',
    steps: (scheme) => [
      together(openHeaders(1, requestBlock(scheme, POST), false), data(1), continuation(1, largeFields(1), false)),
      connectionError(PROTOCOL_ERROR),
    ],
  },
];
