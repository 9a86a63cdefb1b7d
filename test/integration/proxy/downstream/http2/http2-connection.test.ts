// Connections of our HTTP/2 engine: two GOAWAY frames at a drain, and every split of what a client sends. Thread: main.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { Bench } from '../../../../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../../../../support/certificates.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';
import { FLAG, FRAME, frame, RawHttp2Client, requestFrame } from '../../../../support/http2-frames.ts';
import { within } from '../../../../support/raw-client.ts';

const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;
const LARGEST_STREAM = 0x7fff_ffff;
const PADDED = 0x8;

describe('a drain', () => {
  test('serves requests that cross the first GOAWAY, and names the last stream in the second', async () => {
    const bench = await new Bench({ fast: sharedParts(), listener: { tls: TLS } }).start();
    const client = await RawHttp2Client.connect(bench.port);
    client.send(requestFrame(1, [], true));
    const first = await bench.starter.next();
    bench.starter.answerAll((exchange) => exchange.answer());
    let goaways = 0;
    client.onFrame = ({ type }) => {
      // The PING behind the frame has not been acknowledged yet.
      if (type === FRAME.goaway && ++goaways === 1) client.send(requestFrame(3, [], true));
    };
    const drained = bench.downstream.drain(60_000);
    await client.until(() => goaways === 2, 'both GOAWAY frames');
    const lastStreams = client.frames.filter(({ type }) => type === FRAME.goaway).map(lastStreamOf);
    assert.deepEqual(lastStreams, [LARGEST_STREAM, 3]);
    client.send(requestFrame(5, [], true));
    first.answer();
    await client.until(() => client.status(1) === 200 && client.status(3) === 200, 'the responses');
    await within(drained, 'the end of the drain');
    assert.ok(!client.has(FRAME.headers, 5), 'stream 5 is not served');
    assert.equal(bench.starter.begun, 2);
    client.destroy();
  });
});

function lastStreamOf({ payload }: { readonly payload: Buffer }): number {
  return payload.readUInt32BE(0);
}

/** A POST with padded DATA and trailers, and a GET behind it. */
function conversation(): Buffer {
  const padded = Buffer.concat([Buffer.from([3]), Buffer.from('a body'), Buffer.alloc(3)]);
  const trailers = Buffer.concat([Buffer.from([0, 5]), Buffer.from('x-sum'), Buffer.from([2]), Buffer.from('42')]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
    frame(FRAME.settings, 0, 0),
    requestFrame(1, ['content-length', '12'], false, 'POST'),
    frame(FRAME.data, PADDED, 1, padded),
    frame(0xee, 0, 0, Buffer.from('unknown')),
    frame(FRAME.data, 0, 1, Buffer.from('in two')),
    frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, trailers),
    requestFrame(3, [], true),
  ]);
}

/** Facts that the exchanges have received where the conversation is sent in pieces of these sizes. */
async function received(sizes: (at: number) => number): Promise<string[]> {
  const bench = await new Bench({ fast: sharedParts(), listener: { http2: true } }).start();
  const socket = connect({ port: bench.port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  const bytes = conversation();
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + sizes(at));
    socket.write(bytes.subarray(at, end));
    at = end;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const post = await bench.starter.next();
  const get = await bench.starter.next();
  post.client.resumeBody();
  await post.until('body-end');
  socket.destroy();
  await bench.stop();
  const fields = [post.head.method, post.head.target, post.head.authority, String(post.head.bodyLength)];
  return [...fields, post.body, String(post.trailers), get.head.method, get.head.target];
}

test('every split of the bytes of a client gives the same exchanges', async () => {
  const whole = await received(() => Number.POSITIVE_INFINITY);
  assert.deepEqual(whole, ['POST', '/1', 'a.test', '12', 'a bodyin two', 'x-sum,42', 'GET', '/3']);
  assert.deepEqual(await received(() => 1), whole);
  for (const size of [2, 7, 10, 25]) assert.deepEqual(await received((at) => 1 + ((at * 31) % size)), whole);
});
