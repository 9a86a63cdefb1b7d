// Frames of HTTP/2: every split gives the same events, and each fault its code. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomBelow, seededRandom } from '../../../../core/random.ts';
import { ErrorCode } from '../../../../proxy/http2/error-code.ts';
import { Flag, FRAME_HEADER_BYTES, FrameType } from '../../../../proxy/http2/frame-format.ts';
import { FrameReader, type FrameSink } from '../../../../proxy/http2/frame-reader.ts';

/** Records events as text; adjacent ranges of DATA count as one. */
class Recorder implements FrameSink {
  readonly events: string[] = [];
  #data = '';

  onDataStart(stream: number, flowBytes: number): void {
    this.events.push(`data ${stream} counts ${flowBytes}`);
    this.#data = '';
  }
  onData(_stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.#data += text(bytes, start, end);
  }
  onDataEnd(stream: number, isEndStream: boolean): void {
    this.events.push(`data ${stream} "${this.#data}"${isEndStream ? ' end' : ''}`);
  }
  onHeaders(stream: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    this.events.push(`headers ${stream} "${text(block, start, end)}"${isEndStream ? ' end' : ''}`);
  }
  onReset(stream: number, code: number): void {
    this.events.push(`reset ${stream} ${code}`);
  }
  onSettings(_bytes: Uint8Array, start: number, end: number): void {
    this.events.push(`settings ${end - start}`);
  }
  onSettingsAck(): void {
    this.events.push('settings ack');
  }
  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    this.events.push(`ping ${text(bytes, start, start + 8)}${isAck ? ' ack' : ''}`);
  }
  onGoaway(lastStream: number, code: number): void {
    this.events.push(`goaway ${lastStream} ${code}`);
  }
  onWindowUpdate(stream: number, increment: number): void {
    this.events.push(`window ${stream} ${increment}`);
  }
  onStreamError(stream: number, code: number): void {
    this.events.push(`stream error ${stream} ${code}`);
  }
  onConnectionError(code: number): void {
    this.events.push(`error ${code}`);
  }
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1');
}

function frame(type: number, flags: number, stream: number, payload: string | Buffer): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(body.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, body]);
}

const u32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const SETTINGS = frame(FrameType.SETTINGS, 0, 0, '');

/** Feeds bytes in pieces that end at the given offsets, each in memory that is overwritten afterwards. */
function eventsOf(bytes: Buffer, cuts: readonly number[] = []): string[] {
  const seen = new Recorder();
  const reader = new FrameReader(seen, { frameBytes: 16_384, blockBytes: 100, blockFrames: 4 });
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(from, cut));
    reader.feed(piece, 0, piece.length);
    piece.fill(0xff);
    from = cut;
  }
  return seen.events;
}

const STREAM = Buffer.concat([
  frame(FrameType.SETTINGS, 0, 0, '\0\x03\0\0\0\x64'),
  frame(FrameType.SETTINGS, Flag.ACK, 0, ''),
  frame(FrameType.HEADERS, Flag.END_HEADERS, 1, 'block'),
  frame(FrameType.DATA, 0, 1, 'hello'),
  frame(FrameType.DATA, Flag.PADDED, 1, '\x03abc\0\0\0'),
  frame(FrameType.DATA, Flag.PADDED, 1, '\0'),
  frame(FrameType.DATA, Flag.END_STREAM, 1, ''),
  frame(FrameType.HEADERS, Flag.END_STREAM | Flag.PADDED | Flag.PRIORITY, 3, '\x02\0\0\0\0\x10one\0\0'),
  frame(FrameType.CONTINUATION, 0, 3, ' two'),
  frame(FrameType.CONTINUATION, Flag.END_HEADERS, 3, ' three'),
  frame(FrameType.PRIORITY, 0, 5, '\0\0\0\0\0'),
  frame(FrameType.RST_STREAM, 0, 3, u32(8)),
  frame(FrameType.PING, 0, 0, '12345678'),
  frame(0x42, 0xff, 9, 'unknown'),
  frame(FrameType.WINDOW_UPDATE, 0, 0, u32(0x80000005)),
  frame(FrameType.WINDOW_UPDATE, 0, 1, u32(7)),
  frame(FrameType.GOAWAY, 0, 0, Buffer.concat([u32(3), u32(0), Buffer.from('bye')])),
]);

const EVENTS = [
  'settings 6',
  'settings ack',
  'headers 1 "block"',
  'data 1 counts 5',
  'data 1 "hello"',
  'data 1 counts 7',
  'data 1 "abc"',
  'data 1 counts 1',
  'data 1 ""',
  'data 1 counts 0',
  'data 1 "" end',
  'headers 3 "one two three" end',
  'reset 3 8',
  'ping 12345678',
  'window 0 5',
  'window 1 7',
  'goaway 3 0',
];

describe('a connection', () => {
  test('gives the same events for every split', () => {
    assert.deepEqual(eventsOf(STREAM), EVENTS);
    for (let cut = 0; cut < STREAM.length; cut += 1) assert.deepEqual(eventsOf(STREAM, [cut]), EVENTS);
    assert.deepEqual(
      eventsOf(
        STREAM,
        Array.from({ length: STREAM.length }, (_, at) => at),
      ),
      EVENTS,
    );
  });

  test('any bytes give the same events whole and split, and an error ends them', () => {
    const random = seededRandom(9113);
    for (let round = 0; round < 3000; round += 1) {
      const bytes = Buffer.from(STREAM);
      for (let count = 1 + randomBelow(random, 4); count > 0; count -= 1) {
        bytes[randomBelow(random, bytes.length)] = randomBelow(random, 256);
      }
      const whole = eventsOf(bytes);
      const cuts = Array.from({ length: 5 }, () => randomBelow(random, bytes.length)).sort((a, b) => a - b);
      assert.deepEqual(eventsOf(bytes, cuts), whole);
      const errors = whole.filter((event) => event.startsWith('error'));
      assert.ok(errors.length === 0 || (errors.length === 1 && whole.at(-1) === errors[0]));
    }
  });
});

const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, ENHANCE_YOUR_CALM } = ErrorCode;
const open = (payload = 'x'): Buffer => frame(FrameType.HEADERS, 0, 1, payload);
const FAULTS: readonly (readonly [name: string, bytes: Buffer, code: number])[] = [
  ['DATA on stream 0', frame(FrameType.DATA, 0, 0, 'x'), PROTOCOL_ERROR],
  ['DATA with padding longer than it', frame(FrameType.DATA, Flag.PADDED, 1, '\x05abc'), PROTOCOL_ERROR],
  ['DATA with PADDED and no pad length', frame(FrameType.DATA, Flag.PADDED, 1, ''), FRAME_SIZE_ERROR],
  ['HEADERS on stream 0', frame(FrameType.HEADERS, Flag.END_HEADERS, 0, 'x'), PROTOCOL_ERROR],
  [
    'HEADERS with padding longer than it',
    frame(FrameType.HEADERS, Flag.PADDED | Flag.END_HEADERS, 1, '\x09x'),
    PROTOCOL_ERROR,
  ],
  [
    'HEADERS shorter than its priority',
    frame(FrameType.HEADERS, Flag.PRIORITY | Flag.END_HEADERS, 1, 'xx'),
    FRAME_SIZE_ERROR,
  ],
  ['PRIORITY on stream 0', frame(FrameType.PRIORITY, 0, 0, 'xxxxx'), PROTOCOL_ERROR],
  ['RST_STREAM on stream 0', frame(FrameType.RST_STREAM, 0, 0, u32(0)), PROTOCOL_ERROR],
  ['RST_STREAM of three bytes', frame(FrameType.RST_STREAM, 0, 1, 'xxx'), FRAME_SIZE_ERROR],
  ['SETTINGS on a stream', frame(FrameType.SETTINGS, 0, 1, ''), PROTOCOL_ERROR],
  ['SETTINGS of seven bytes', frame(FrameType.SETTINGS, 0, 0, 'xxxxxxx'), FRAME_SIZE_ERROR],
  ['a SETTINGS acknowledgement with a payload', frame(FrameType.SETTINGS, Flag.ACK, 0, 'xxxxxx'), FRAME_SIZE_ERROR],
  ['PUSH_PROMISE', frame(FrameType.PUSH_PROMISE, 0, 1, 'xxxx'), PROTOCOL_ERROR],
  ['PING on a stream', frame(FrameType.PING, 0, 1, 'xxxxxxxx'), PROTOCOL_ERROR],
  ['PING of seven bytes', frame(FrameType.PING, 0, 0, 'xxxxxxx'), FRAME_SIZE_ERROR],
  ['GOAWAY on a stream', frame(FrameType.GOAWAY, 0, 1, 'xxxxxxxx'), PROTOCOL_ERROR],
  ['GOAWAY of seven bytes', frame(FrameType.GOAWAY, 0, 0, 'xxxxxxx'), FRAME_SIZE_ERROR],
  ['WINDOW_UPDATE of five bytes', frame(FrameType.WINDOW_UPDATE, 0, 0, 'xxxxx'), FRAME_SIZE_ERROR],
  ['WINDOW_UPDATE of the connection by 0', frame(FrameType.WINDOW_UPDATE, 0, 0, u32(0)), PROTOCOL_ERROR],
  ['CONTINUATION alone', frame(FrameType.CONTINUATION, Flag.END_HEADERS, 1, 'x'), PROTOCOL_ERROR],
  ['DATA inside a header block', Buffer.concat([open(), frame(FrameType.DATA, 0, 1, 'x')]), PROTOCOL_ERROR],
  ['an unknown frame inside a header block', Buffer.concat([open(), frame(0x42, 0, 1, 'x')]), PROTOCOL_ERROR],
  ['CONTINUATION of another stream', Buffer.concat([open(), frame(FrameType.CONTINUATION, 0, 3, 'x')]), PROTOCOL_ERROR],
  ['a frame above the limit', frame(0x42, 0, 1, 'x'.repeat(16_385)), FRAME_SIZE_ERROR],
  ['a header block above the limit', open('x'.repeat(101)), ENHANCE_YOUR_CALM],
  [
    'empty CONTINUATION frames',
    Buffer.concat([open(), ...Array.from({ length: 9 }, () => frame(FrameType.CONTINUATION, 0, 1, ''))]),
    ENHANCE_YOUR_CALM,
  ],
];

describe('a connection error', () => {
  for (const [name, bytes, code] of FAULTS) {
    test(`${name}: ${code}, and nothing follows`, () => {
      const events = eventsOf(Buffer.concat([SETTINGS, bytes, frame(FrameType.PING, 0, 0, '12345678')]));
      assert.equal(events.at(-1), `error ${code}`);
    });
  }

  for (const first of [frame(FrameType.PING, 0, 0, '12345678'), frame(FrameType.SETTINGS, Flag.ACK, 0, '')]) {
    test(`a first frame of type ${first[3]} with flags ${first[4]}, not SETTINGS`, () => {
      assert.deepEqual(eventsOf(first), [`error ${PROTOCOL_ERROR}`]);
    });
  }
});

test('faults of one stream leave the connection open', () => {
  const bytes = Buffer.concat([
    SETTINGS,
    frame(FrameType.PRIORITY, 0, 3, 'xxxx'),
    frame(FrameType.WINDOW_UPDATE, 0, 5, u32(0)),
    frame(FrameType.PING, Flag.ACK, 0, '12345678'),
  ]);
  assert.deepEqual(eventsOf(bytes).slice(1), [
    `stream error 3 ${FRAME_SIZE_ERROR}`,
    `stream error 5 ${PROTOCOL_ERROR}`,
    'ping 12345678 ack',
  ]);
});
