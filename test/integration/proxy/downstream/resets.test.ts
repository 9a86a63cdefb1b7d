// Clients that abort at every phase and in every way: nothing is thrown, nothing leaks, every exchange ends once.
// Thread: main.

import assert from 'node:assert/strict';
import { connect, constants } from 'node:http2';
import { describe, test } from 'node:test';
import { testCertificate } from '../../../support/certificates.ts';
import { patientMs } from '../../../support/patience.ts';
import { RawClient } from '../../../support/raw-client.ts';
import { Bench, type BenchOptions } from '../../../contract/proxy/downstream/bench.ts';
import {
  localReply,
  responseHead,
  type ScriptedExchange,
} from '../../../contract/proxy/downstream/scripted-starter.ts';

const HOST = 'Host: a\r\n';

/** Bytes sent before the client aborts. */
const PHASES: Readonly<Record<string, string>> = {
  'nothing sent': '',
  'amid a head': 'GET / HTTP/1.1\r\nHo',
  'behind a request': `GET / HTTP/1.1\r\n${HOST}\r\n`,
  'amid a body of known length': `POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nhalf`,
  'amid a chunk': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n9\r\nhalf`,
  'amid trailers': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: `,
  'behind pipelined requests': `GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(5),
  'behind something malformed': `GET / HTTP/1.1\r\n${HOST}\r\n\x00\x01`,
  'behind an upgrade': `GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
};

const LEAVES: Readonly<Record<string, (client: RawClient) => void>> = {
  'by reset': (client) => client.reset(),
  'by close': (client) => client.destroy(),
  'by half-close': (client) => client.finish(),
};

const LATE_REPLY_MS = 30;

/** Responses of the exchanges meanwhile. */
const ANSWERS: Readonly<Record<string, (exchange: ScriptedExchange) => void>> = {
  // A half-closed client waits for its response, and a closed one looks the same before a write.
  'a late reply': (exchange) =>
    void setTimeout(() => exchange.client.sendLocalReply(localReply(200, 'late')), LATE_REPLY_MS),
  'a begun response': (exchange) => {
    exchange.client.resumeBody();
    exchange.client.sendHead(responseHead({ length: 100_000 }), []);
    exchange.client.sendData(Buffer.alloc(50_000));
    setTimeout(() => {
      exchange.client.sendData(Buffer.alloc(50_000));
      exchange.client.sendEnd(null);
    }, LATE_REPLY_MS);
  },
  'a whole reply': (exchange) => {
    exchange.client.sendLocalReply(localReply(200, 'x'.repeat(100_000)));
  },
  'a cut': (exchange) => exchange.client.cut(),
};

/** A faulty body may be reported besides the end; nothing else is reported twice. */
function endsOf(exchange: ScriptedExchange): number {
  return exchange.events.filter((event) => event === 'flushed' || event === 'gone:closed').length;
}

async function untilClosed(bench: Bench): Promise<void> {
  const deadline = Date.now() + patientMs(10_000);
  while (bench.openConnections > 0) {
    assert.ok(Date.now() < deadline, `${bench.openConnections} connections are still open`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function leaveInEveryWay(options: BenchOptions): Promise<void> {
  const bench = await new Bench({ ...options, timeouts: { headMs: 300, keepAliveMs: 300, bodyIdleMs: 300 } }).start();
  const exchanges: { exchange: ScriptedExchange; isCut: boolean }[] = [];
  for (const [name, answer] of Object.entries(ANSWERS)) {
    bench.starter.onBegin = (exchange) => {
      exchanges.push({ exchange, isCut: name === 'a cut' });
      // An upgraded socket is read by its tunnel only, so that an abort is noticed when the response is written.
      const play = exchange.upgrade === null ? answer : ANSWERS['a whole reply']!;
      setImmediate(() => play(exchange));
    };
    for (const leave of Object.values(LEAVES)) {
      // At once the bytes may not have come before the leave, after 3 ms they have.
      for (const delayMs of [0, 3]) {
        await Promise.all(Object.values(PHASES).map((bytes) => sendAndLeave(bench, bytes, leave, delayMs)));
      }
    }
    // Connections may be accepted after their clients have left.
    await untilClosed(bench);
  }
  assert.ok(exchanges.length >= 60, `${exchanges.length} exchanges`);
  for (const { exchange, isCut } of exchanges) {
    const ends = endsOf(exchange);
    assert.ok(isCut ? ends <= 1 : ends === 1, `ended by ${exchange.events.join(', ') || 'nothing'}`);
  }
  assert.equal(bench.count('connectionsOpen'), 0);
  await bench.stop();
}

async function sendAndLeave(
  bench: Bench,
  bytes: string,
  leave: (client: RawClient) => void,
  delayMs: number,
): Promise<void> {
  const { tls } = bench.listener;
  const client = await RawClient.connect(tls === null ? { port: bench.port } : { port: bench.port, tls: {} });
  client.send(bytes);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (tls === null) leave(client);
  else client.destroy();
}

const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;

describe('clients that abort', () => {
  test('on HTTP/1.1, at every phase, in every way', () => leaveInEveryWay({}));

  test('on HTTP/1.1 over TLS', () => leaveInEveryWay({ listener: { tls: TLS } }));

  test('on HTTP/2, by streams and by connections', async () => {
    const bench = await new Bench({ listener: { tls: TLS }, timeouts: { headMs: 300, keepAliveMs: 300 } }).start();
    const exchanges: ScriptedExchange[] = [];
    for (const [name, answer] of Object.entries(ANSWERS)) {
      if (name === 'a cut') continue;
      bench.starter.onBegin = (exchange) => {
        exchanges.push(exchange);
        setImmediate(() => answer(exchange));
      };
      for (const leavesWhole of [true, false]) {
        const session = connect(`https://127.0.0.1:${bench.port}`, { rejectUnauthorized: false });
        session.on('error', () => undefined);
        const streams = ['GET', 'POST', 'POST'].map((method) =>
          session.request({ ':method': method, ':authority': 'a' }),
        );
        for (const stream of streams) stream.on('error', () => undefined);
        streams[1]!.write('a part');
        await bench.starter.next();
        await bench.starter.next();
        await bench.starter.next();
        if (leavesWhole) session.destroy();
        else for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
        setTimeout(() => session.destroy(), 100).unref();
      }
    }
    await untilClosed(bench);
    assert.equal(exchanges.length, 18);
    for (const exchange of exchanges) assert.equal(endsOf(exchange), 1, exchange.events.join(', '));
    await bench.stop();
  });
});
