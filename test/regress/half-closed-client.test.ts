// A client that half-closes after its requests (nc -N, health probes, HTTP/1.0 scripts) lost its response: FIN was taken
// for a client that has gone. One that has really gone is still noticed. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bench, type BenchOptions, withBench } from '../contract/proxy/downstream/bench.ts';
import { responseHead } from '../contract/proxy/downstream/scripted-starter.ts';
import { testCertificate } from '../support/certificates.ts';
import { sharedParts } from '../support/http1-parts.ts';
import { FRAME, RawHttp2Client, requestFrame } from '../support/http2-frames.ts';
import { RawClient } from '../support/raw-client.ts';

const HOST = 'Host: a\r\n';
const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: false } as const;

const PATHS: Readonly<Record<string, () => BenchOptions>> = {
  'the engine': () => ({ fast: sharedParts() }),
  'the engine over TLS': () => ({ fast: sharedParts(), listener: { tls: TLS } }),
  'node:http': () => ({}),
  'node:http over TLS': () => ({ listener: { tls: TLS } }),
};

const REQUESTS: Readonly<Record<string, string>> = {
  GET: `GET / HTTP/1.1\r\n${HOST}\r\n`,
  HEAD: `HEAD / HTTP/1.1\r\n${HOST}\r\n`,
  'a POST with a length': `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\n\r\nbody`,
  'a chunked POST': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
  'HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'HTTP/1.0 with keep-alive': 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
};

/** Waits until FIN has been processed: the adaptor reports it, or the time of a round trip has passed. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Answers in two pieces, each some time after FIN. */
async function answerLate(bench: Bench, name: string, isLengthKnown: boolean): Promise<void> {
  const exchange = await bench.starter.next();
  exchange.client.resumeBody();
  await pause(30);
  assert.deepEqual(exchange.gone, [], `${name}: the exchange was ended by FIN`);
  exchange.client.sendHead(responseHead(isLengthKnown ? { length: 10 } : {}), []);
  exchange.client.sendData(Buffer.from('first'));
  await pause(10);
  exchange.client.sendData(Buffer.from('later'));
  exchange.client.sendEnd(null);
  await exchange.until('flushed');
  assert.deepEqual(exchange.gone, []);
}

for (const [path, options] of Object.entries(PATHS)) {
  describe(`a half-closed client on ${path}`, () => {
    for (const [name, bytes] of Object.entries(REQUESTS)) {
      for (const isLengthKnown of [true, false]) {
        test(`receives the whole response to ${name}, its length ${isLengthKnown ? '' : 'un'}known`, () =>
          withBench(options(), async (bench, client) => {
            client.send(bytes);
            client.finish();
            const [text] = await Promise.all([client.readToEnd(), answerLate(bench, name, isLengthKnown)]);
            assert.match(text, /^HTTP\/1\.1 200 /);
            assert.match(text, /^Connection: close\r$/im);
            if (name !== 'HEAD') assert.match(text.replaceAll(/\r\n[0-9a-f]+\r\n/g, ''), /first.*later/s);
          }));
      }
    }

    test('receives the responses to all pipelined requests', () =>
      withBench(options(), async ({ starter }, client) => {
        client.send(REQUESTS.GET!.repeat(5));
        client.finish();
        for (let count = 0; count < 5; count += 1) {
          const exchange = await starter.next();
          await pause(5);
          exchange.answer(`answer ${count}`);
        }
        const text = await client.readToEnd();
        assert.deepEqual(text.match(/answer \d/g), ['answer 0', 'answer 1', 'answer 2', 'answer 3', 'answer 4']);
      }));

    test('and then cut sees a reset, not a clean end, also over HTTP/1.0', () =>
      withBench(options(), async ({ starter }, client) => {
        client.send(REQUESTS['HTTP/1.0']!);
        client.finish();
        const exchange = await starter.next();
        await pause(20);
        exchange.client.sendHead(responseHead({}), []);
        exchange.client.sendData(Buffer.from('a part'));
        await client.readUntil('a part');
        exchange.client.cut();
        assert.notEqual(await client.whenEnded(), 'end');
      }));

    test('with half a body ends the exchange', () =>
      withBench(options(), async ({ starter }, client) => {
        client.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nhalf`);
        const exchange = await starter.next();
        exchange.client.resumeBody();
        client.finish();
        await exchange.until('gone:closed');
      }));

    test('without a request, or with half a head, is closed without a reset', () =>
      withBench(options(), async ({ downstream, listener, port }, client) => {
        client.finish();
        assert.equal(await client.whenEnded(), 'end');
        const half = await RawClient.connect({ port, ...(listener.tls === null ? {} : { tls: {} }) });
        half.send('GET / HT');
        half.finish();
        assert.equal(await half.whenEnded(), 'end');
        assert.ok(downstream.openConnections <= 2);
      }));
  });

  describe(`a client that has gone, on ${path}`, () => {
    const skip = path.endsWith('TLS') && "a client of node:tls can't reset its socket";

    test('by a reset ends the exchange at once', { skip }, () =>
      withBench(options(), async ({ starter }, client) => {
        client.send(REQUESTS.GET!);
        const exchange = await starter.next();
        client.reset();
        await exchange.until('gone:closed');
      }),
    );

    test('by a reset after FIN ends the exchange without a byte of the response', { skip }, () =>
      withBench(options(), async ({ starter }, client) => {
        client.send(REQUESTS.GET!);
        const exchange = await starter.next();
        client.finish();
        await pause(30);
        client.reset();
        await exchange.until('gone:closed');
      }),
    );

    test('by a close ends the exchange when the response is written', () =>
      withBench(options(), async ({ starter }, client) => {
        client.send(REQUESTS.GET!);
        const exchange = await starter.next();
        client.destroy();
        await pause(30);
        exchange.client.sendHead(responseHead({}), []);
        for (let count = 0; count < 100 && exchange.gone.length === 0; count += 1) {
          exchange.client.sendData(Buffer.from('data'));
          await pause(5);
        }
        assert.deepEqual(exchange.gone, ['closed']);
      }));
  });
}

describe('a half-closed client on the HTTP/2 engine', () => {
  const HTTP2 = { fast: sharedParts(), listener: { tls: { ...TLS, http2: true } } };

  test('receives the whole responses to whole requests; a request that is not whole ends', async () => {
    const bench = await new Bench(HTTP2).start();
    const client = await RawHttp2Client.connect(bench.port);
    client.send(requestFrame(1, [], true), requestFrame(3, ['content-length', '9'], false, 'POST'));
    const [get, post] = [await bench.starter.next(), await bench.starter.next()];
    client.finish();
    await post.until('gone:closed');
    assert.deepEqual(get.gone, []);
    get.client.sendHead(responseHead({ length: 10 }), []);
    get.client.sendData(Buffer.from('first'));
    await pause(10);
    get.client.sendData(Buffer.from('later'));
    get.client.sendEnd(null);
    await get.until('flushed');
    await client.until(() => client.hasEnded(1), 'the end of the response');
    const sizes = client.frames
      .filter(({ type, stream }) => type === FRAME.data && stream === 1)
      .map(({ length }) => length);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      'firstlater'.length,
    );
    await client.untilClosed();
    await bench.stop();
  });

  test('without a whole request is closed', async () => {
    const bench = await new Bench(HTTP2).start();
    const client = await RawHttp2Client.connect(bench.port);
    client.finish();
    await client.untilClosed();
    await bench.stop();
  });
});
