// Conformance cases for the states, identifiers and number of streams (RFC 9113 section 5). Thread: main.

import { ErrorCode } from '../../../proxy/http2/error-code.ts';
import { FLAG, FRAME, frame } from '../../support/http2-frames.ts';
import { resetFrame, settingsFrame, windowUpdateFrame } from '../../support/http2-probe.ts';
import {
  ANY_DATA,
  connectionError,
  continuation,
  data,
  headers,
  type Http2Case,
  PING,
  pong,
  PONG_OR_CLOSED,
  priority,
  priorityFields,
  requestBlock,
  STREAM_ENDED,
  streamError,
  together,
} from './case.ts';

const { PROTOCOL_ERROR, STREAM_CLOSED, CANCEL, REFUSED_STREAM } = ErrorCode;
const INITIAL_WINDOW_SIZE = 4;
const MAX_CONCURRENT_STREAMS = 3;

const STATE_CASES: readonly Http2Case[] = [
  {
    section: '5.1',
    name: 'idle: PRIORITY is accepted',
    steps: () => [together(priority(1), PING), pong()],
  },
  {
    section: '5.1',
    name: 'idle: DATA',
    steps: () => [data(1), streamError(PROTOCOL_ERROR, STREAM_CLOSED)],
  },
  { section: '5.1', name: 'idle: RST_STREAM', steps: () => [resetFrame(1, CANCEL), connectionError(PROTOCOL_ERROR)] },
  {
    section: '5.1',
    name: 'idle: WINDOW_UPDATE',
    steps: () => [windowUpdateFrame(1, 100), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '5.1',
    name: 'idle: CONTINUATION',
    steps: (scheme) => [continuation(1, requestBlock(scheme)), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '5.1',
    name: 'half-closed: WINDOW_UPDATE is accepted',
    steps: (scheme) => [
      together(settingsFrame([INITIAL_WINDOW_SIZE, 0]), headers(1, requestBlock(scheme)), windowUpdateFrame(1, 1)),
      ANY_DATA,
    ],
  },
  {
    section: '5.1',
    name: 'half-closed: PRIORITY is accepted',
    steps: (scheme) => [
      together(
        settingsFrame([INITIAL_WINDOW_SIZE, 0]),
        headers(1, requestBlock(scheme)),
        priority(1),
        windowUpdateFrame(1, 1),
      ),
      ANY_DATA,
    ],
  },
  {
    section: '5.1',
    name: 'half-closed: RST_STREAM is accepted',
    steps: (scheme) => [together(headers(1, requestBlock(scheme)), resetFrame(1, CANCEL), PING), PONG_OR_CLOSED],
  },
  {
    section: '5.1',
    name: 'half-closed: DATA',
    steps: (scheme) => [together(headers(1, requestBlock(scheme)), data(1)), streamError(STREAM_CLOSED)],
  },
  {
    section: '5.1',
    name: 'half-closed: HEADERS',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme)), headers(1, requestBlock(scheme))),
      streamError(STREAM_CLOSED),
    ],
  },
  {
    section: '5.1',
    name: 'half-closed: CONTINUATION',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme)), continuation(1, requestBlock(scheme))),
      streamError(STREAM_CLOSED, PROTOCOL_ERROR),
    ],
  },
  {
    section: '5.1',
    name: 'reset by the client: DATA',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme), false), resetFrame(1, CANCEL), data(1)),
      streamError(STREAM_CLOSED),
    ],
  },
  {
    section: '5.1',
    name: 'reset by the client: HEADERS',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme), false), resetFrame(1, CANCEL), headers(1, requestBlock(scheme))),
      streamError(STREAM_CLOSED),
    ],
  },
  {
    section: '5.1',
    name: 'reset by the client: CONTINUATION',
    steps: (scheme) => [
      together(headers(1, requestBlock(scheme), false), resetFrame(1, CANCEL), continuation(1, requestBlock(scheme))),
      streamError(STREAM_CLOSED, PROTOCOL_ERROR),
    ],
  },
  {
    section: '5.1',
    name: 'closed: PRIORITY is accepted',
    steps: (scheme) => [headers(1, requestBlock(scheme)), STREAM_ENDED, together(priority(1), PING), pong()],
  },
  {
    section: '5.1',
    name: 'closed: DATA',
    steps: (scheme) => [headers(1, requestBlock(scheme)), STREAM_ENDED, data(1), streamError(STREAM_CLOSED)],
  },
  {
    section: '5.1',
    name: 'closed: HEADERS',
    steps: (scheme) => [
      headers(1, requestBlock(scheme)),
      STREAM_ENDED,
      headers(1, requestBlock(scheme)),
      connectionError(STREAM_CLOSED),
    ],
  },
  {
    section: '5.1',
    name: 'closed: CONTINUATION',
    steps: (scheme) => [
      headers(1, requestBlock(scheme)),
      STREAM_ENDED,
      continuation(1, requestBlock(scheme)),
      connectionError(STREAM_CLOSED, PROTOCOL_ERROR),
    ],
  },
];

export const STREAM_CASES: readonly Http2Case[] = [
  ...STATE_CASES,
  {
    section: '5.1.1',
    name: 'an even stream identifier',
    steps: (scheme) => [headers(2, requestBlock(scheme)), connectionError(PROTOCOL_ERROR)],
  },
  {
    section: '5.1.1',
    name: 'a stream identifier smaller than the last one',
    steps: (scheme) => [
      together(headers(5, requestBlock(scheme)), headers(3, requestBlock(scheme))),
      // The stream was closed by the use of a higher one: both codes fit.
      connectionError(PROTOCOL_ERROR, STREAM_CLOSED),
    ],
  },
  {
    section: '5.1.2',
    name: 'more streams than SETTINGS_MAX_CONCURRENT_STREAMS',
    steps: (scheme, { settings }) => {
      const count = settings.get(MAX_CONCURRENT_STREAMS) ?? 0;
      const block = requestBlock(scheme);
      const streams = Array.from({ length: count + 1 }, (_, at) => headers(1 + 2 * at, block));
      return [
        together(settingsFrame([INITIAL_WINDOW_SIZE, 0]), ...streams),
        streamError(PROTOCOL_ERROR, REFUSED_STREAM),
      ];
    },
  },
  {
    section: '5.3.1 of RFC 7540',
    name: 'HEADERS that depend on their own stream',
    steps: (scheme) => {
      const block = together(priorityFields(1), requestBlock(scheme));
      const flags = FLAG.endHeaders | FLAG.endStream | FLAG.priority;
      return [frame(FRAME.headers, flags, 1, block), streamError(PROTOCOL_ERROR)];
    },
  },
  {
    section: '5.3.1 of RFC 7540',
    name: 'PRIORITY that depends on its own stream',
    steps: () => [priority(1, 1), streamError(PROTOCOL_ERROR)],
  },
];
