// Attacks on an HTTP/2 server as frames: each is a generator of writes that would go on for ever. Thread: main.

import { ErrorCode } from '../../../../../proxy/http2/error-code.ts';
import { fieldSection, FLAG, FRAME, frame, uint32 } from '../../../../support/http2-frames.ts';
import { resetFrame, settingsFrame, windowUpdateFrame } from '../../../../support/http2-probe.ts';

export interface Attack {
  readonly name: string;
  /** Writes one after the other, at most so many. */
  readonly writes: number;
  /** Frames of one write. @param next a stream that was not used yet */
  readonly write: (next: () => number) => readonly Buffer[];
}

const GET = fieldSection([':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/slow']);
const POST = fieldSection([':method', 'POST', ':scheme', 'https', ':authority', 'a.test', ':path', '/slow']);
const SIZED = Buffer.concat([POST, fieldSection(['content-length', '1'])]);
const TUNNEL = fieldSection([
  ':method',
  'CONNECT',
  ':protocol',
  'websocket',
  ':scheme',
  'https',
  ':authority',
  'a.test',
  ':path',
  '/slow',
]);
const MALFORMED = Buffer.concat([GET, fieldSection(['connection', 'close'])]);

const headers = (stream: number, block: Buffer, flags: number): Buffer =>
  frame(FRAME.headers, flags | FLAG.endHeaders, stream, block);
const many = (count: number, make: () => readonly Buffer[]): Buffer[] => Array.from({ length: count }, make).flat();
const request = (stream: number): Buffer => headers(stream, GET, FLAG.endStream);
const upload = (stream: number, block = POST): Buffer => headers(stream, block, 0);
const one = Buffer.from('x');

/** Each reset costs an exchange whose stream no longer counts. */
const RESETS: readonly Attack[] = [
  {
    name: 'rapid resets',
    writes: 50,
    write: (next) =>
      many(100, () => {
        const stream = next();
        return [request(stream), resetFrame(stream, ErrorCode.CANCEL)];
      }),
  },
  {
    name: 'rapid resets of WebSockets',
    writes: 50,
    write: (next) =>
      many(100, () => {
        const stream = next();
        return [headers(stream, TUNNEL, 0), resetFrame(stream, ErrorCode.CANCEL)];
      }),
  },
  ...(
    [
      ['a window opened by 0', (stream: number) => [request(stream), windowUpdateFrame(stream, 0)]],
      [
        'a window beyond its limit',
        (stream: number) => [request(stream), windowUpdateFrame(stream, 0x7fff_ffff), windowUpdateFrame(stream, 1)],
      ],
      ['DATA after END_STREAM', (stream: number) => [request(stream), frame(FRAME.data, 0, stream, one)]],
      [
        'DATA beyond content-length',
        (stream: number) => [upload(stream, SIZED), frame(FRAME.data, 0, stream, Buffer.from('xx'))],
      ],
      [
        'HEADERS after END_STREAM',
        (stream: number) => [request(stream), headers(stream, fieldSection(['a', 'b']), FLAG.endStream)],
      ],
      ['PRIORITY of the wrong size', (stream: number) => [request(stream), frame(FRAME.priority, 0, stream, one)]],
      ['malformed requests', (stream: number) => [headers(stream, MALFORMED, FLAG.endStream)]],
    ] as const
  ).map(
    ([name, frames]): Attack => ({
      name: `resets provoked by ${name}`,
      writes: 20,
      write: (next) => many(50, () => frames(next())),
    }),
  ),
  {
    name: 'streams beyond the limit',
    writes: 50,
    write: (next) => many(100, () => [upload(next())]),
  },
];

const FLOODS: readonly Attack[] = (
  [
    ['PING', () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['PING with ACK', () => frame(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8))],
    ['SETTINGS', () => settingsFrame([4, 65_535])],
    ['WINDOW_UPDATE', () => windowUpdateFrame(0, 1)],
    ['PRIORITY', () => frame(FRAME.priority, 0, 1, Buffer.alloc(5, 3))],
    ['PRIORITY_UPDATE', () => frame(0x10, 0, 0, Buffer.concat([uint32(1), Buffer.from('u=1')]))],
    ['unknown frames', () => frame(0xee, 0, 0, one)],
  ] as const
).map(
  ([name, make]): Attack => ({
    name: `a flood of ${name}`,
    writes: 60,
    write: () => Array.from({ length: 1000 }, make),
  }),
);

/** On one upload, or in one header block: `begin` opens it with the first write. */
function onStream(name: string, writes: number, begin: (stream: number) => Buffer, frames: () => Buffer[]): Attack {
  /** The connection, by its counter of streams. */
  let begunOn: (() => number) | null = null;
  return {
    name,
    writes,
    write: (next) => {
      const first = begunOn === next ? [] : [begin(next())];
      begunOn = next;
      return [...first, ...frames()];
    },
  };
}

const repeated =
  (count: number, bytes: Buffer): (() => Buffer[]) =>
  () =>
    Array.from({ length: count }, () => bytes);
const openBlock = (stream: number): Buffer => frame(FRAME.headers, FLAG.endStream, stream, GET);
const fields = fieldSection(Array.from({ length: 1000 }, (_, at) => [`a${at}`, '']).flat());

const BODIES: readonly Attack[] = [
  onStream('empty DATA frames', 20, (stream) => upload(stream), repeated(1000, frame(FRAME.data, 0, 1))),
  onStream('DATA frames of one byte', 200, (stream) => upload(stream), repeated(1000, frame(FRAME.data, 0, 1, one))),
  onStream('empty CONTINUATION frames', 20, openBlock, repeated(100, frame(FRAME.continuation, 0, 1))),
  onStream(
    'CONTINUATION frames without an end',
    20,
    openBlock,
    repeated(1, frame(FRAME.continuation, 0, 1, Buffer.alloc(16_384))),
  ),
  onStream('a list of 100,000 fields', 100, openBlock, repeated(1, frame(FRAME.continuation, 0, 1, fields))),
];

/** Indexed 12,000 times, a field of 4 KB makes 46 MiB of a block of 16 KiB. */
const BOMB: Attack = {
  name: 'header blocks that stand for 46 MiB',
  writes: 200,
  write: (next) => {
    const field = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4000, 0x61)]);
    const block = Buffer.concat([GET, field, Buffer.alloc(12_000, 0xbe)]);
    return [headers(next(), block, FLAG.endStream)];
  },
};

export const ATTACKS: readonly Attack[] = [...RESETS, ...FLOODS, ...BODIES, BOMB];
