// HTTP/2 with prior knowledge and HTTP/1.1 on one listener without TLS, on both paths. Thread: main.

import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Bench } from '../../../contract/proxy/downstream/bench.ts';
import { sharedParts } from '../../../support/http1-parts.ts';
import { RawClient, within } from '../../../support/raw-client.ts';

const GET = 'GET /old HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const EMPTY_SETTINGS = '\0\0\0\x04\0\0\0\0\0';

async function withBench(isEngine: boolean, timeouts: object, play: (bench: Bench) => Promise<void>): Promise<void> {
  const fast = isEngine ? { fast: sharedParts() } : {};
  const bench = await new Bench({ ...fast, listener: { http2: true }, timeouts }).start();
  bench.starter.answerAll((exchange) => exchange.answer(exchange.head.version));
  try {
    await play(bench);
  } finally {
    await bench.stop();
  }
}

/** Sends bytes in pieces of one byte, each in a segment of its own. @returns what was received until the end */
async function sendByByte(port: number, bytes: string, isEnough: (received: string) => boolean): Promise<string> {
  const client = await RawClient.connect({ port });
  let received = '';
  client.socket.on('data', (data: Buffer) => (received += data.toString('latin1')));
  for (const byte of bytes) {
    client.socket.write(byte, 'latin1');
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (!isEnough(received)) await within(once(client.socket, 'data'), 'an answer');
  client.destroy();
  return received;
}

for (const isEngine of [true, false]) {
  describe(`a listener with http2, fastPath: ${isEngine}`, () => {
    test('serves HTTP/2 and HTTP/1.1', () =>
      withBench(isEngine, {}, async (bench) => {
        const session = connect(`http://127.0.0.1:${bench.port}`);
        const stream = session.request({ ':path': '/new' });
        let body = '';
        stream.on('data', (data: Buffer) => (body += data.toString()));
        await within(once(stream, 'end'), 'the end of the response');
        session.destroy();
        assert.equal(body, '2.0');
        const old = await sendByByte(bench.port, GET, (received) => received.endsWith('1.1'));
        assert.match(old, /^HTTP\/1\.1 200 /);
      }));

    test('recognises a preface that arrives byte by byte', () =>
      withBench(isEngine, {}, async (bench) => {
        const received = await sendByByte(bench.port, PREFACE + EMPTY_SETTINGS, (bytes) => bytes.length > 9);
        assert.equal(received.charCodeAt(3), 4, 'SETTINGS come first');
      }));

    test('serves HTTP/1.1 to a client whose first bytes only begin like the preface', () =>
      withBench(isEngine, {}, async (bench) => {
        const request = `PRINT /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
        const received = await sendByByte(bench.port, request, (bytes) => bytes.includes('\r\n\r\n'));
        assert.match(received, isEngine ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 (?:400|501) /);
      }));

    test('closes a connection that sends nothing, or half a preface', () =>
      withBench(isEngine, { headMs: 60 }, async (bench) => {
        for (const bytes of ['', PREFACE.slice(0, 10)]) {
          const client = await RawClient.connect({ port: bench.port });
          client.socket.write(bytes, 'latin1');
          while (bench.openConnections === 0) await new Promise((resolve) => setTimeout(resolve, 2));
          while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
          client.destroy();
        }
        assert.equal(bench.starter.begun, 0);
      }));
  });
}
