// Random frames of an HTTP/2 client, and mutations of them. Thread: main.

import { readdirSync, readFileSync } from 'node:fs';
import { type Random, randomBelow } from '../../core/random.ts';
import { HpackEncoder } from '../../proxy/http2/hpack-encoder.ts';
import { FLAG, FRAME, frame, uint32 } from '../support/http2-frames.ts';

const CORPUS = new URL('./corpus/http2/', import.meta.url);

/** The committed inputs, frames in hexadecimal, by file name. */
export function readCorpus(): ReadonlyMap<string, Buffer> {
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.hex'));
  return new Map(names.map((name) => [name, Buffer.from(readFileSync(new URL(name, CORPUS), 'latin1').trim(), 'hex')]));
}

const oneOf = <T>(random: Random, list: readonly T[]): T => list[randomBelow(random, list.length)]!;
const flip = (random: Random, flag: number): number => (randomBelow(random, 2) === 0 ? flag : 0);

const PSEUDO = [
  [':method', ['GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'a b', '']],
  [':scheme', ['https', 'http', 'ftp']],
  [':path', ['/', '/a?b=c', '*', 'x', '', '/a b', '/\r\n']],
  [':authority', ['a.test', 'A.test:80', '[::1]', 'u@a.test', '', 'a b']],
  [':status', ['200']],
  [':protocol', ['websocket']],
] as const;
/** Of a valid request. */
const NEEDED = 4;
const NAMES = ['x-a', 'accept', 'cookie', 'host', 'te', 'content-length', 'x-long-name', 'expect', 'etag', 'trailer'];
const ODD_NAMES = [
  'X-A',
  'a b',
  'a:b',
  '',
  'x\r\n',
  'connection',
  'transfer-encoding',
  'upgrade',
  'x\xe4',
  'keep-alive',
];
const VALUES = ['', 'x', 'a.test', 'trailers', '0', '3', '100-continue', 'a=1; b=2', 'x'.repeat(200)];
const ODD_VALUES = [' x', 'x\t', 'x\r\ny: z', '\0', '\xff', 'x\x7f', '1, 1', '-1'];

/** A header list: mostly a valid one. */
function fieldList(random: Random): string[] {
  const isOdd = randomBelow(random, 5) === 0;
  const fields: string[] = [];
  for (const [at, [name, values]] of PSEUDO.entries()) {
    if (at >= NEEDED && (!isOdd || randomBelow(random, 4) > 0)) continue;
    if (isOdd && randomBelow(random, 8) === 0) continue;
    fields.push(name, isOdd ? oneOf(random, values) : values[0]);
  }
  for (let count = randomBelow(random, 6); count > 0; count -= 1) {
    const name = isOdd && randomBelow(random, 4) === 0 ? oneOf(random, ODD_NAMES) : oneOf(random, NAMES);
    fields.push(name, isOdd && randomBelow(random, 4) === 0 ? oneOf(random, ODD_VALUES) : oneOf(random, VALUES));
  }
  return fields;
}

/** HEADERS, padded or with a priority, and CONTINUATION frames. */
function headerFrames(random: Random, stream: number, block: Buffer): Buffer[] {
  const cut = randomBelow(random, 4) === 0 ? randomBelow(random, block.length + 1) : block.length;
  const padding = randomBelow(random, 5) === 0 ? randomBelow(random, 10) : -1;
  const hasPriority = randomBelow(random, 5) === 0;
  const isSplit = cut < block.length;
  const flags =
    flip(random, FLAG.endStream) |
    (isSplit ? 0 : FLAG.endHeaders) |
    (padding >= 0 ? FLAG.padded : 0) |
    (hasPriority ? FLAG.priority : 0);
  const parts = [
    padding >= 0 ? Buffer.of(padding) : Buffer.alloc(0),
    hasPriority
      ? Buffer.concat([uint32(randomBelow(random, 9)), Buffer.of(randomBelow(random, 256))])
      : Buffer.alloc(0),
    block.subarray(0, cut),
    Buffer.alloc(Math.max(0, padding)),
  ];
  const frames = [frame(FRAME.headers, flags, stream, Buffer.concat(parts))];
  if (isSplit) {
    const second = cut + randomBelow(random, block.length - cut + 1);
    frames.push(frame(FRAME.continuation, 0, stream, block.subarray(cut, second)));
    frames.push(frame(FRAME.continuation, FLAG.endHeaders, stream, block.subarray(second)));
  }
  return frames;
}

type FrameMaker = (random: Random, stream: number) => Buffer;

const OTHERS: readonly FrameMaker[] = [
  (random, stream) =>
    frame(FRAME.data, flip(random, FLAG.endStream), stream, Buffer.alloc(randomBelow(random, 40), 120)),
  (_random, stream) => frame(FRAME.data, FLAG.padded, stream, Buffer.from([3, 120, 0, 0, 0])),
  (random) => frame(FRAME.ping, flip(random, FLAG.ack), 0, Buffer.alloc(8, 7)),
  (random) => frame(FRAME.settings, 0, 0, settingsPayload(random)),
  () => frame(FRAME.settings, FLAG.ack, 0),
  (random, stream) => frame(FRAME.windowUpdate, 0, oneOf(random, [0, stream]), uint32(1 + randomBelow(random, 1000))),
  (random, stream) => frame(FRAME.priority, 0, stream, Buffer.alloc(5, randomBelow(random, 200) + 1)),
  (random, stream) => frame(FRAME.rstStream, 0, stream, uint32(randomBelow(random, 14))),
  (random, stream) => frame(0x10 + randomBelow(random, 200), randomBelow(random, 256), stream, Buffer.alloc(7, 1)),
];

function settingsPayload(random: Random): Buffer {
  const pairs: Buffer[] = [];
  for (let count = randomBelow(random, 4); count > 0; count -= 1) {
    const setting = oneOf(random, [1, 3, 4, 6, 0x99]);
    pairs.push(Buffer.of(0, setting), uint32(randomBelow(random, 60_000)));
  }
  return Buffer.concat(pairs);
}

/** Frames of a client, SETTINGS first. */
function makeFrames(random: Random): Buffer {
  const encoder = new HpackEncoder(oneOf(random, [0, 100, 4096]));
  const frames = [frame(FRAME.settings, 0, 0, settingsPayload(random))];
  let stream = 1;
  for (let count = 1 + randomBelow(random, 6); count > 0; count -= 1) {
    if (randomBelow(random, 20) === 0) encoder.setPeerTableBytes(randomBelow(random, 4097));
    const block = Buffer.from(encoder.encode(fieldList(random)));
    frames.push(...headerFrames(random, stream, block));
    for (let more = randomBelow(random, 4); more > 0; more -= 1) frames.push(oneOf(random, OTHERS)(random, stream));
    stream += 2;
  }
  return Buffer.concat(frames);
}

/** Changes, removes, repeats or inserts a few bytes. */
function mutate(random: Random, bytes: Buffer): Buffer {
  const at = randomBelow(random, bytes.length + 1);
  const size = randomBelow(random, 9);
  const before = bytes.subarray(0, at);
  switch (randomBelow(random, 4)) {
    case 0:
      return Buffer.concat([before, bytes.subarray(at + size)]);
    case 1:
      return Buffer.concat([before, bytes.subarray(at, at + size), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([before, Buffer.of(randomBelow(random, 256)), bytes.subarray(at)]);
    default: {
      const changed = Buffer.from(bytes);
      if (at < changed.length) changed[at]! ^= 1 << randomBelow(random, 8);
      return changed;
    }
  }
}

/** An input: frames of the corpus or new ones, in half of the cases broken. */
export function makeInput(random: Random, corpus: readonly Buffer[]): Buffer {
  let bytes = randomBelow(random, 4) === 0 ? oneOf(random, corpus) : makeFrames(random);
  if (randomBelow(random, 2) === 0) {
    for (let round = 1 + randomBelow(random, 3); round > 0; round -= 1) bytes = mutate(random, bytes);
  }
  return bytes.subarray(0, 32_768);
}
