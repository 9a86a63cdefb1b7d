// Failures at every moment of an attempt: their kind, and whether the request was sent. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import net from 'node:net';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  bodyRead,
  eventOrClose,
  fin,
  hang,
  reset,
  ScriptedOrigin,
  send,
  type Step,
} from '../../../support/scripted-origin.ts';
import { withBench, type TransportBench, type TransportUnderTest } from '../../../support/transport-bench.ts';
import { openBlackhole } from '../../../support/blackhole.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';

type Row = readonly [name: string, steps: readonly Step[], outcome: string];

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** On a fresh connection, after a complete request. */
const ENDINGS: readonly Row[] = [
  ['FIN without a byte', [fin()], 'reset sent'],
  ['RST without a byte', [reset()], 'reset sent'],
  ['FIN inside the head', [send('HTTP/1.1 200 OK\r\nContent-'), fin()], 'reset sent'],
  ['FIN behind an interim response', [send('HTTP/1.1 100 Continue\r\n\r\n'), fin()], 'reset sent'],
  ['FIN behind a head', [send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'), fin()], 'truncated sent'],
  ['FIN inside a body', [send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'), fin()], 'truncated sent'],
  ['FIN inside a chunk', [send(`${CHUNKED}5\r\nhel`), fin()], 'truncated sent'],
  ['FIN in place of the last chunk', [send(`${CHUNKED}5\r\nhello\r\n`), fin()], 'truncated sent'],
  ['FIN before the last empty line', [send(`${CHUNKED}5\r\nhello\r\n0\r\n`), fin()], 'truncated sent'],
];

/** RST after bytes that were certainly read: only then does it differ from an RST before them. */
const RESETS: readonly (readonly [name: string, wire: string])[] = [
  ['inside a body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'],
  ['inside a chunk', `${CHUNKED}5\r\nhel`],
  ['inside a body that lasts until the end', 'HTTP/1.1 200 OK\r\n\r\nhel'],
  ['inside an HTTP/1.0 body', 'HTTP/1.0 200 OK\r\n\r\nhel'],
];

const MALFORMED: readonly (readonly [name: string, wire: string])[] = [
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status above 599', 'HTTP/1.1 600 No\r\n\r\n'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n'],
  ['NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
  ['a blank before a colon', 'HTTP/1.1 200 OK\r\nX : a\r\n\r\n'],
  ['an empty length', 'HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello'],
  ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk size that is none', `${CHUNKED}x\r\nhello\r\n0\r\n\r\n`],
  ['a chunk that runs over', `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`],
  ['a bare LF behind a chunk size', `${CHUNKED}5\nhello\r\n0\r\n\r\n`],
  ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
];

export function failureCases(subject: TransportUnderTest): void {
  for (const [name, steps, outcome] of ENDINGS) {
    test(`${name}: ${outcome}`, () => fails(subject, [bodyRead(), ...steps], outcome));
  }
  for (const [name, wire] of MALFORMED) {
    test(`${name} is a malformed response`, () =>
      fails(subject, [bodyRead(), send(wire), hang()], 'malformed-response sent'));
  }
  for (const [name, wire] of RESETS) {
    test(`RST ${name}: truncated`, () =>
      withBench(subject, {}, async (bench) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        bench.origin.play(bodyRead(), send(wire), () => promise, reset());
        const attempt = bench.send();
        await attempt.saw('data');
        resolve();
        await attempt.done;
        assert.equal(attempt.outcome, 'truncated sent');
        assert.deepEqual(attempt.log, ['lease', 'head', 'data', 'failure']);
      }));
  }
  test('a head over the limit is too large', () =>
    withBench(subject, { upstream: { responseHeadBytes: 2048 } }, async (bench) => {
      bench.origin.play(send(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(3000)}\r\n\r\n`), hang());
      assert.equal((await bench.send().done).outcome, 'head-too-large sent');
      await (await bench.origin.connection(0)).gone;
    }));
  test('endless interim responses fail the attempt', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(5000)), hang());
      assert.equal((await bench.send().done).outcome, 'malformed-response sent');
    }));
  staleCases(subject);
  connectCases(subject);
}

/** Checks that the request fails with this outcome, its connection closes, and the endpoint serves the next one. */
async function fails(subject: TransportUnderTest, steps: readonly Step[], outcome: string): Promise<void> {
  await withBench(subject, {}, async (bench) => {
    bench.origin.play(...steps);
    const attempt = await bench.send().done;
    assert.equal(attempt.outcome, outcome);
    await (await bench.origin.connection(0)).gone;
    const { length } = attempt.log;
    await nextTurn();
    assert.equal(attempt.log.length, length);
    assert.equal(attempt.log.at(-1), 'failure');
    assert.equal((await bench.send().done).outcome, 'ok');
    assert.equal(bench.origin.requests.length, 2);
  });
}

function staleCases(subject: TransportUnderTest): void {
  for (const [name, step, outcome, meaning] of [
    ['FIN', fin(), 'stale-connection sent', 'that it was stale'],
    ['RST', reset(), 'reset sent', 'a failure: no idle timeout resets a connection in use'],
  ] as const) {
    for (const method of ['GET', 'POST']) {
      test(`${name} after a ${method} on a reused connection means ${meaning}`, () =>
        withBench(subject, {}, async (bench) => {
          await reuse(bench);
          bench.origin.play(bodyRead(), step);
          const attempt = await bench.send({ method }).done;
          assert.equal(attempt.isReused, true);
          assert.equal(attempt.outcome, outcome);
          assert.equal(bench.origin.requests.length, 2);
        }));
    }
  }
  test('a reused connection that closes after an interim response was not stale', () =>
    withBench(subject, {}, async (bench) => {
      await reuse(bench);
      bench.origin.play(send('HTTP/1.1 102 Processing\r\n\r\n'), fin());
      assert.equal((await bench.send().done).outcome, 'reset sent');
    }));
  test('a connection that the endpoint closed while it was idle is not used', () =>
    withBench(subject, {}, async (bench) => {
      await reuse(bench);
      const { socket, closed } = await bench.origin.connection(0);
      socket.end();
      await closed;
      const attempt = await bench.send({ method: 'POST' }).done;
      assert.equal(attempt.outcome, 'ok');
      assert.equal(attempt.isReused, false);
    }));
}

/** Serves one request, so that the next one finds an idle connection. */
async function reuse(bench: TransportBench): Promise<void> {
  assert.equal((await bench.send().done).outcome, 'ok');
  await bench.idled();
  assert.equal(bench.lane('connectionsIdle'), 1);
}

function connectCases(subject: TransportUnderTest): void {
  test('a closed port refuses', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, 'close');
    await connectFails(subject, { port }, 'connect-refused unsent');
  });
  test('a missing Unix socket fails', () =>
    connectFails(subject, { socketPath: '/nonexistent/endpoint.sock' }, 'connect-failed unsent'));
  test('an endpoint that accepts no connection times out', async () => {
    const blackhole = await openBlackhole();
    try {
      await connectFails(subject, { port: blackhole.port }, 'connect-timeout unsent', 60);
    } finally {
      await blackhole.close();
    }
  });
  test('an endpoint that is silent in the TLS handshake times out', () =>
    withBench(subject, {}, ({ origin }) =>
      connectFails(subject, { port: origin.port, protocol: 'https' }, 'connect-timeout unsent', 60),
    ));
  test('an endpoint that answers a TLS handshake with text fails', () =>
    withBench(subject, {}, ({ origin }) => {
      origin.greet(send('220 smtp\r\n'), fin());
      return connectFails(subject, { port: origin.port, protocol: 'https' }, 'tls-failed unsent');
    }));
  test('an endpoint that resets in the TLS handshake fails', () =>
    withBench(subject, {}, ({ origin }) => {
      origin.greet((socket) => eventOrClose(socket, 'data'), reset());
      return connectFails(subject, { port: origin.port, protocol: 'https' }, 'tls-failed unsent');
    }));
  test('an untrusted certificate fails', async () => {
    const origin = await ScriptedOrigin.listen({ tls: { cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY } });
    try {
      await connectFails(subject, { port: origin.port, protocol: 'https' }, 'tls-failed unsent');
      assert.equal(origin.requests.length, 0);
    } finally {
      await origin.close();
    }
  });
}

async function connectFails(
  subject: TransportUnderTest,
  endpoint: NonNullable<Parameters<typeof withBench>[1]['endpoint']>,
  outcome: string,
  connectMs = 3000,
): Promise<void> {
  const timeouts = { connectMs, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 0, keepAliveMs: 60_000 };
  await withBench(subject, { endpoint, upstream: { timeouts } }, async (bench) => {
    const attempt = await bench.sendWithBody('hello').done;
    assert.equal(attempt.outcome, outcome);
    assert.deepEqual(attempt.log, ['failure']);
    assert.equal(bench.lane('connectionsOpen'), 0);
    assert.equal(bench.origin.requests.length, 0);
  });
}
