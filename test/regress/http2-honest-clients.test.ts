// HTTP/2 requests of honest clients that were refused, or cost their whole connection: bodies that end without a byte,
// cancelled downloads, cookie crumbs, and faults of one stream. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bench } from '../contract/proxy/downstream/bench.ts';
import { responseHead, type ScriptedExchange } from '../contract/proxy/downstream/scripted-starter.ts';
import { testCertificate } from '../support/certificates.ts';
import { FLAG, FRAME, frame, RawHttp2Client, requestFrame, uint32 } from '../support/http2-frames.ts';

const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;
const CANCEL = 8;

type Serve = (exchange: ScriptedExchange) => void;
const answer: Serve = (exchange) => {
  exchange.client.resumeBody();
  exchange.answer();
};

async function withClient(serve: Serve, play: (client: RawHttp2Client, bench: Bench) => Promise<void>): Promise<void> {
  const bench = await new Bench({ listener: { tls: TLS } }).start();
  bench.starter.onBegin = (exchange) => void setImmediate(() => serve(exchange));
  const client = await RawHttp2Client.connect(bench.port);
  try {
    await play(client, bench);
    assert.ok(!client.has(FRAME.goaway, 0), 'GOAWAY was sent');
    assert.equal(client.ending, '');
  } finally {
    client.destroy();
    await bench.stop();
  }
}

/** Waits for the response to a request that is sent now: the connection works. */
async function stillWorks(client: RawHttp2Client, stream: number): Promise<void> {
  client.send(requestFrame(stream, [], true));
  await client.until(() => client.status(stream) === 200, `the response on stream ${stream}`);
}

const answerAfterBody: Serve = (exchange) => {
  if (exchange.head.bodyLength === 0) return answer(exchange);
  exchange.client.resumeBody();
  void exchange.until('body-end').then(() => exchange.answer());
};

describe('a body that ends without a byte', () => {
  for (const isOneWrite of [true, false]) {
    for (const length of [[], ['content-length', '0']]) {
      test(`is complete, ${isOneWrite ? 'in one write with' : 'after'} its head, fields ${length.join(' ')}`, () =>
        withClient(length.length === 0 ? answerAfterBody : answer, async (client) => {
          const end = frame(FRAME.data, FLAG.endStream, 1);
          const head = requestFrame(1, length, false, 'POST');
          if (isOneWrite) client.send(head, end);
          else {
            client.send(head);
            await new Promise((resolve) => setTimeout(resolve, 30));
            client.send(end);
          }
          await client.until(() => client.status(1) === 200, 'the response');
          await stillWorks(client, 3);
        }));
    }
  }

  test('is complete with a byte before the empty frame, too', () =>
    withClient(answerAfterBody, async (client) => {
      client.send(requestFrame(1, [], false, 'POST'), frame(FRAME.data, 0, 1, Buffer.from('x')));
      await new Promise((resolve) => setTimeout(resolve, 20));
      client.send(frame(FRAME.data, FLAG.endStream, 1));
      await client.until(() => client.status(1) === 200, 'the response');
    }));
});

describe('a fault of one stream', () => {
  test('DATA beyond content-length resets the stream, not the connection', () =>
    withClient(
      (exchange) => (exchange.head.bodyLength === 0 ? answer(exchange) : exchange.client.resumeBody()),
      async (client) => {
        const fields = ['content-length', '4'];
        client.send(requestFrame(1, fields, false, 'POST'), frame(FRAME.data, 0, 1, Buffer.from('too long')));
        await client.until(() => client.has(FRAME.rstStream, 1), 'RST_STREAM');
        await stillWorks(client, 3);
      },
    ));

  // nghttp2 takes WINDOW_UPDATE by 0 for a fault of the connection on a stream, too.
  test('WINDOW_UPDATE by 0 on the connection ends it with GOAWAY', async () => {
    const bench = await new Bench({ listener: { tls: TLS } }).start();
    const client = await RawHttp2Client.connect(bench.port);
    client.send(requestFrame(1, [], true), frame(FRAME.windowUpdate, 0, 0, uint32(0)));
    await client.until(() => client.has(FRAME.goaway, 0), 'GOAWAY');
    while (client.ending === '') await new Promise((resolve) => setTimeout(resolve, 5));
    await bench.stop();
  });
});

describe('cancelled requests', () => {
  test('100 resets and 10 new requests in one write: all 10 are served', () =>
    withClient(
      (exchange) => (Number(exchange.head.target.slice(1)) < 200 ? undefined : answer(exchange)),
      async (client, { starter }) => {
        const streams = Array.from({ length: 100 }, (_, index) => 1 + 2 * index);
        client.send(...streams.map((stream) => requestFrame(stream, [], true)));
        await client.until(() => true, 'nothing');
        while (starter.begun < 100) await new Promise((resolve) => setTimeout(resolve, 5));
        const resets = streams.map((stream) => frame(FRAME.rstStream, 0, stream, uint32(CANCEL)));
        const fresh = Array.from({ length: 10 }, (_, index) => 201 + 2 * index);
        client.send(...resets, ...fresh.map((stream) => requestFrame(stream, [], true)));
        for (const stream of fresh) await client.until(() => client.status(stream) === 200, `stream ${stream}`);
      },
    ));

  test('5,000 downloads that are cancelled after their first bytes end neither the connection nor others', () =>
    withClient(
      (exchange) => {
        exchange.client.sendHead(responseHead({ length: 1_000_000 }), []);
        exchange.client.sendData(Buffer.alloc(1024));
      },
      async (client) => {
        const total = 5000;
        let cancelled = 0;
        let next = 1;
        const begin = (): void => {
          client.send(requestFrame(next, [], true));
          next += 2;
        };
        client.onFrame = ({ type, stream }) => {
          if (type !== FRAME.data) return;
          cancelled += 1;
          client.send(frame(FRAME.rstStream, 0, stream, uint32(CANCEL)));
          if (next < 2 * total) begin();
        };
        for (let count = 0; count < 50; count += 1) begin();
        await client.until(() => cancelled >= total, '5,000 downloads');
        assert.equal(cancelled, total);
      },
    ));

  test('a rapid reset attack ends the connection', async () => {
    const bench = await new Bench({ listener: { tls: TLS } }).start();
    const client = await RawHttp2Client.connect(bench.port);
    let stream = 1;
    for (let round = 0; round < 100 && client.ending === '' && !client.has(FRAME.goaway, 0); round += 1) {
      const frames: Buffer[] = [];
      for (let count = 0; count < 100; count += 1, stream += 2) {
        frames.push(requestFrame(stream, [], true), frame(FRAME.rstStream, 0, stream, uint32(CANCEL)));
      }
      client.send(...frames);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    while (client.ending === '' && !client.has(FRAME.goaway, 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    client.destroy();
    await bench.stop();
  });
});

test('cookie crumbs count as one field', () =>
  withClient(answer, async (client) => {
    const crumbs = Array.from({ length: 230 }, (_, index) => ['cookie', `c${index}=${index}`]).flat();
    client.send(requestFrame(1, crumbs, true));
    await client.until(() => client.status(1) > 0, 'the response');
    assert.equal(client.status(1), 200);
  }));
