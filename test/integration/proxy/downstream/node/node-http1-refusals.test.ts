// Unparsable and slow requests: refused with the starter's reply, and the connection is closed. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Unparsable } from '../../../../../core/exchange-contract.ts';
import { type BenchOptions, generalOnly, withBench } from '../../../../contract/proxy/downstream/bench.ts';
import { localReply } from '../../../../contract/proxy/downstream/scripted-starter.ts';

interface Refusal {
  readonly name: string;
  readonly bytes: string;
  readonly why: Unparsable;
  readonly status: number;
}

const HOST = 'Host: a\r\n';

const REFUSALS: readonly Refusal[] = [
  { name: 'garbage', bytes: '\x16\x03\x01\x02\x00\x01\r\n\r\n', why: 'malformed', status: 400 },
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\n\r\n', why: 'malformed', status: 400 },
  { name: 'two Hosts', bytes: `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, why: 'malformed', status: 400 },
  { name: 'a bare LF', bytes: `GET / HTTP/1.1\r\n${HOST}X: 1\n\r\n`, why: 'malformed', status: 400 },
  { name: 'a folded line', bytes: `GET / HTTP/1.1\r\n${HOST}X: 1\r\n 2\r\n\r\n`, why: 'malformed', status: 400 },
  {
    name: 'Content-Length beside Transfer-Encoding',
    bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    why: 'malformed',
    status: 400,
  },
  {
    name: 'a coding that is not chunked alone',
    bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    why: 'coding-unknown',
    status: 501,
  },
  { name: 'a fragment', bytes: `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, why: 'malformed', status: 400 },
  {
    name: 'a nomination of X-Forwarded-For',
    bytes: `GET / HTTP/1.1\r\n${HOST}Connection: close, X-Forwarded-For\r\n\r\n`,
    why: 'malformed',
    status: 400,
  },
  {
    name: 'an unknown expectation',
    bytes: `GET / HTTP/1.1\r\n${HOST}Expect: tea\r\n\r\n`,
    why: 'expectation-unknown',
    status: 417,
  },
  {
    name: 'a long target',
    bytes: `GET /${'a'.repeat(600)} HTTP/1.1\r\n${HOST}\r\n`,
    why: 'target-too-long',
    status: 414,
  },
  { name: 'an endless target', bytes: `GET /${'a'.repeat(9000)}`, why: 'target-too-long', status: 414 },
  {
    name: 'an endless field',
    bytes: `GET / HTTP/1.1\r\n${HOST}X: ${'a'.repeat(9000)}`,
    why: 'head-too-large',
    status: 431,
  },
  {
    name: 'many fields',
    bytes: `GET / HTTP/1.1\r\n${HOST}${'X: 1\r\n'.repeat(50)}\r\n`,
    why: 'too-many-fields',
    status: 431,
  },
  {
    name: 'a version of the future',
    bytes: `GET / HTTP/3.0\r\n${HOST}\r\n`,
    why: 'version-not-supported',
    status: 505,
  },
  { name: 'HTTP/2 without ALPN', bytes: `GET / HTTP/2.0\r\n${HOST}\r\n`, why: 'version-not-supported', status: 505 },
  { name: 'no version', bytes: 'GET /\r\n\r\n', why: 'malformed', status: 400 },
  { name: 'CONNECT', bytes: 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', why: 'method-not-served', status: 501 },
];

const LIMITS: BenchOptions = { limits: { headBytes: 8192, headFields: 50, requestLineBytes: 512 } };

describe('refusals', () => {
  for (const { name, bytes, why, status } of REFUSALS) {
    test(`${name}: ${status}, and the connection ends`, () =>
      withBench(LIMITS, async (bench, client) => {
        client.send(bytes);
        const response = await client.readResponse();
        assert.deepEqual([response.status, response.body], [status, `refused: ${why}`]);
        assert.match(response.head, /^Connection: close\r$/m);
        assert.match(response.head, /^Date: [A-Z][a-z]{2}, .* GMT\r$/m);
        assert.equal(await client.readToEnd(), '');
        assert.deepEqual(bench.starter.refused, [why]);
        assert.equal(bench.starter.begun, 0);
        assert.equal(bench.starter.refusedOn[0]!.peerAddress, '127.0.0.1');
      }));
  }

  test('a method that llhttp does not know: 501, and the connection ends', generalOnly('forwards every method'), () =>
    withBench(LIMITS, async (bench, client) => {
      client.send(`BREW / HTTP/1.1\r\n${HOST}\r\n`);
      assert.equal((await client.readResponse()).status, 501);
      assert.equal(await client.readToEnd(), '');
      assert.deepEqual(bench.starter.refused, ['method-not-served']);
    }),
  );

  test('requests at the limits are served', () =>
    withBench(LIMITS, async (bench, client) => {
      client.send(`GET /${'a'.repeat(496)} HTTP/1.1\r\n${HOST}${'X: 1\r\n'.repeat(49)}\r\n`);
      (await bench.starter.next()).answer();
      assert.equal((await client.readResponse()).status, 200);
    }));
});

describe('malformed bodies', () => {
  test('are reported to the exchange, which may still answer', () =>
    withBench({}, async (bench, client) => {
      client.send(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
      const exchange = await bench.starter.next();
      exchange.onGone = () => exchange.client.sendLocalReply(localReply(400, 'bad chunk'));
      exchange.client.resumeBody();
      await exchange.untilTrue(() => exchange.body === 'abc', 'the first chunk');
      client.send('-3\r\n');
      const response = await client.readResponse();
      assert.deepEqual([response.status, response.body], [400, 'bad chunk']);
      assert.match(response.head, /^Connection: close\r$/m);
      await client.readToEnd();
      await exchange.until('flushed');
      assert.deepEqual(exchange.events, ['gone:malformed-body', 'flushed']);
    }));

  test(
    'an exchange whose client aborts after a fault is ended once',
    generalOnly('looks at a body when it is let through'),
    () =>
      withBench({}, async (bench, client) => {
        client.send(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
        const exchange = await bench.starter.next();
        client.send('zz\r\n');
        await exchange.until('gone:malformed-body');
        client.reset();
        await exchange.until('flushed');
        assert.deepEqual(exchange.events, ['gone:malformed-body', 'flushed']);
      }),
  );
});

describe('slow clients', () => {
  const HASTY: BenchOptions = { timeouts: { headMs: 120, keepAliveMs: 60_000 } };

  test('a connection on which nothing comes is closed without a word', () =>
    withBench(HASTY, async (bench, client) => {
      assert.equal(await client.readToEnd(), '');
      assert.deepEqual(bench.starter.refused, []);
    }));

  for (const [name, isSecond] of [
    ['first', false],
    ['second', true],
  ] as const) {
    test(`a ${name} head that comes by the byte is cut off with 408`, () =>
      withBench(HASTY, async (bench, client) => {
        if (isSecond) {
          client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
          (await bench.starter.next()).answer();
          await client.readResponse();
        }
        let at = 0;
        const head = `GET / HTTP/1.1\r\n${HOST}X: ${'y'.repeat(1000)}`;
        const dribble = setInterval(() => client.send(head.charAt(at++)), 15);
        const response = await client.readResponse();
        clearInterval(dribble);
        assert.deepEqual([response.status, response.body], [408, 'refused: head-timeout']);
      }));
  }

  test('what a slow head took counts from its first byte', () =>
    withBench({ timeouts: { headMs: 5000 } }, async (bench, client) => {
      client.send('GET / HTTP/1.1\r\n');
      await new Promise((resolve) => setTimeout(resolve, 100));
      client.send(`${HOST}\r\n`);
      const exchange = await bench.starter.next();
      assert.ok(performance.now() - exchange.receivedMs > 40, 'the head began before it was whole');
      exchange.answer();
      await client.readResponse();
    }));
});
