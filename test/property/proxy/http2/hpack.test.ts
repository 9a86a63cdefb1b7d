// Random header lists through our encoder and decoder, and through those of node:http2. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { type Random, randomBelow, seededRandom } from '../../../../core/random.ts';
import { CONNECTION_PREFACE } from '../../../../proxy/http2/frame-format.ts';
import { Decoded, HpackDecoder } from '../../../../proxy/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../../proxy/http2/hpack-encoder.ts';

const LIMITS = { listBytes: 1_000_000, fields: 1000 };
const NAMES = ['x-a', 'x-b', 'accept', 'cookie', 'user-agent', 'etag', 'x-long-name-of-a-field', 'cache-control'];
const ALPHABET = 'abcdefghij0123456789 ;=,/"~^|';

function text(random: Random, most: number): string {
  const length = randomBelow(random, most);
  return Array.from({ length }, () => ALPHABET[randomBelow(random, ALPHABET.length)])
    .join('')
    .trim();
}

function headerList(random: Random): string[] {
  const fields: string[] = [];
  for (let count = randomBelow(random, 20); count > 0; count -= 1) {
    fields.push(NAMES[randomBelow(random, NAMES.length)]!, text(random, randomBelow(random, 10) === 0 ? 3000 : 12));
  }
  return fields;
}

function decode(decoder: HpackDecoder, block: Uint8Array): string[] {
  const fields: string[] = [];
  const result = decoder.decode(block, 0, block.length, ({ name, value }) => fields.push(name, value));
  assert.equal(result, Decoded.OK);
  return fields;
}

test('header lists of any size survive, while the table size changes', () => {
  const random = seededRandom(7541);
  for (let round = 0; round < 50; round += 1) {
    const encoder = new HpackEncoder(randomBelow(random, 2) === 0 ? 4096 : 0);
    const decoder = new HpackDecoder(4096, LIMITS);
    for (let block = 0; block < 40; block += 1) {
      const fields = headerList(random);
      if (randomBelow(random, 5) === 0) encoder.setPeerTableBytes(randomBelow(random, 4097));
      assert.deepEqual(decode(decoder, encoder.encode(fields)), fields);
    }
  }
});

test('any bytes are decoded or refused, within the limits', () => {
  const random = seededRandom(9113);
  const limits = { listBytes: 4096, fields: 50 };
  for (let round = 0; round < 3000; round += 1) {
    const decoder = new HpackDecoder(4096, limits);
    for (let block = 0; block < 3; block += 1) {
      const bytes = Buffer.from(Array.from({ length: randomBelow(random, 60) }, () => randomBelow(random, 256)));
      let size = 0;
      const result = decoder.decode(bytes, 0, bytes.length, ({ name, value }) => {
        size += name.length + value.length + 32;
      });
      assert.ok(size <= limits.listBytes && decoder.tableBytes <= 4096);
      if (result === Decoded.MALFORMED) break;
    }
  }
});

const Frame = { DATA: 0, HEADERS: 1, SETTINGS: 4 } as const;
const END_HEADERS = 0x4;
const END_STREAM = 0x1;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** Header blocks in the frames that a socket receives, in order. */
function headerBlocks(socket: Socket, skip: number, onBlock: (stream: number, block: Buffer) => void): void {
  let held = Buffer.alloc(0);
  let toSkip = skip;
  socket.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    if (held.length < toSkip) return;
    held = held.subarray(toSkip);
    toSkip = 0;
    while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
      const length = held.readUIntBE(0, 3);
      const stream = held.readUInt32BE(5);
      if (held[3] === Frame.HEADERS) {
        assert.equal(held[4]! & ~END_STREAM, END_HEADERS);
        onBlock(stream, held.subarray(9, 9 + length));
      }
      held = held.subarray(9 + length);
    }
  });
}

/** Lists that node:http2 sends unchanged: it lower-cases nothing here, and joins nothing of distinct names. */
function distinct(random: Random): Map<string, string> {
  const fields = headerList(random);
  const map = new Map<string, string>();
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== 'cookie') map.set(fields[at]!, fields[at + 1]!.replaceAll(/[^a-z0-9]/g, '-'));
  }
  return map;
}

describe('compared with node:http2', () => {
  test('the decoder reads what its encoder writes', async () => {
    const random = seededRandom(1);
    const lists = Array.from({ length: 60 }, () => distinct(random));
    const decoder = new HpackDecoder(4096, LIMITS);
    const seen: Map<string, string>[] = [];
    const done = Promise.withResolvers<void>();
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(frame(Frame.SETTINGS, 0, 0, Buffer.alloc(0)));
      headerBlocks(socket, CONNECTION_PREFACE.length, (_stream, block) => {
        const fields = decode(decoder, block);
        const list = new Map<string, string>();
        for (let at = 0; at < fields.length; at += 2) {
          if (!fields[at]!.startsWith(':')) list.set(fields[at]!, fields[at + 1]!);
        }
        seen.push(list);
        if (seen.length === lists.length) done.resolve();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    session.on('error', () => undefined);
    for (const list of lists)
      session.request({ ':path': '/', ...Object.fromEntries(list) }).on('error', () => undefined);
    await done.promise;
    session.destroy();
    server.close();
    assert.deepEqual(seen, lists);
  });

  test('its decoder reads what the encoder writes', async () => {
    const random = seededRandom(2);
    const lists = Array.from({ length: 60 }, () => distinct(random));
    const seen: Map<string, string>[] = [];
    const done = Promise.withResolvers<void>();
    const server = http2.createServer();
    server.on('sessionError', () => undefined);
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      seen.push(new Map(Object.entries(headers).filter(([name]) => !name.startsWith(':')) as [string, string][]));
      if (seen.length === lists.length) done.resolve();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    const encoder = new HpackEncoder(4096);
    socket.write(Buffer.concat([CONNECTION_PREFACE, frame(Frame.SETTINGS, 0, 0, Buffer.alloc(0))]));
    for (const [index, list] of lists.entries()) {
      const pseudo = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a'];
      const block = Buffer.from(encoder.encode([...pseudo, ...[...list].flat()]));
      socket.write(frame(Frame.HEADERS, END_HEADERS | END_STREAM, 1 + 2 * index, block));
    }
    await done.promise;
    socket.destroy();
    server.close();
    assert.deepEqual(seen, lists);
  });
});
