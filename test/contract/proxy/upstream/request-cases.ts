// Requests as endpoints receive them, byte for byte. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_LENGTH, type FieldList } from '../../../../core/head.ts';
import { withBench, type TransportBench, type TransportUnderTest } from '../../../support/transport-bench.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'M-SEARCH'];

const BODIES = [
  { name: 'no body', body: '', bodyLength: 0 },
  { name: 'a body of known length', body: 'GET /inner HTTP/1.1\r\nHost: b\r\n\r\n', bodyLength: 32 },
  {
    name: 'a body of unknown length',
    body: '0\r\n\r\nGET /inner HTTP/1.1\r\nHost: b\r\n\r\n',
    bodyLength: UNKNOWN_LENGTH,
  },
  { name: 'an empty body of unknown length', body: '', bodyLength: UNKNOWN_LENGTH },
];

const FIELDS: FieldList = ['X-One', '1', 'accept', 'text/*', 'X-One', '2', 'COOKIE', 'a=b; c=d', 'X-Obs', '\xe9\xff'];

export function requestCases(subject: TransportUnderTest): void {
  requestsAsTheyAre(subject);
  requestsAsTheyAreChanged(subject);
  requestsThatCannotBe(subject);
}

function requestsAsTheyAre(subject: TransportUnderTest): void {
  for (const method of METHODS) {
    test(`${method} reaches the endpoint as one request, whatever its body`, () =>
      withBench(subject, {}, async (bench) => {
        for (const shape of BODIES) await checkOneRequest(bench, method, shape);
        assert.equal(bench.origin.requests.length, BODIES.length * 2);
      }));
  }

  test('names, order, repetitions and bytes of fields are kept', () =>
    withBench(subject, {}, async (bench) => {
      await bench.send({ target: '/a%20b?c=d&&e?x', fields: FIELDS }).done;
      const received = bench.origin.requests[0]!;
      assert.equal(received.requestLine, 'GET /a%20b?c=d&&e?x HTTP/1.1');
      assert.deepEqual(endToEnd(received.lines), [
        'X-One: 1',
        'accept: text/*',
        'X-One: 2',
        'COOKIE: a=b; c=d',
        'X-Obs: \xe9\xff',
      ]);
      assert.deepEqual(received.values('host'), ['a.test']);
    }));
}

function requestsAsTheyAreChanged(subject: TransportUnderTest): void {
  test('inserted fields replace those of the client, removed ones are dropped', () =>
    withBench(subject, {}, async (bench) => {
      const fields = ['X-Forwarded-For', 'evil', 'X-Keep', 'k', 'x-forwarded-FOR', 'evil', 'X-Gone', 'g'];
      const insertedFields = ['X-Forwarded-For', '192.0.2.1', 'X-Request-Id', 'r1'];
      await bench.send({ fields, insertedFields, removedFields: new Set(['x-gone']), hostField: 'b.test:8' }).done;
      const received = bench.origin.requests[0]!;
      assert.deepEqual(endToEnd(received.lines), ['X-Keep: k', 'X-Forwarded-For: 192.0.2.1', 'X-Request-Id: r1']);
      assert.deepEqual(received.values('host'), ['b.test:8']);
    }));

  test('connection-specific and framing fields of the client are not forwarded, even if an adaptor passes them', () =>
    withBench(subject, {}, async (bench) => {
      const fields = [
        'Transfer-Encoding',
        'chunked',
        'Content-Length',
        '9',
        'Upgrade',
        'h2c',
        'TE',
        'gzip',
        'Host',
        'e',
      ];
      await bench.sendWithBody('hello', { fields }).done;
      const received = bench.origin.requests[0]!;
      assert.equal(received.body.toString(), 'hello');
      assert.deepEqual(received.values('content-length'), ['5']);
      for (const name of ['transfer-encoding', 'upgrade', 'te']) assert.deepEqual(received.values(name), []);
      assert.deepEqual(received.values('host'), ['a.test']);
    }));

  test('OPTIONS * is forwarded, with and without a body', () =>
    withBench(subject, {}, async (bench) => {
      const body = 'OPTIONS /* HTTP/1.1';
      const asked = bench.sendWithBody(body, { method: 'OPTIONS', target: '*' });
      assert.equal((await asked.done).outcome, 'ok');
      assert.equal((await bench.send({ method: 'OPTIONS', target: '*' }).done).outcome, 'ok');
      assert.equal((await bench.send({ method: 'OPTIONS', target: '/*' }).done).outcome, 'ok');
      const [first, ...others] = bench.origin.requests;
      assert.deepEqual([first!.requestLine, first!.body.toString()], ['OPTIONS * HTTP/1.1', body]);
      assert.deepEqual(
        others.map(({ requestLine }) => requestLine),
        ['OPTIONS * HTTP/1.1', 'OPTIONS /* HTTP/1.1'],
      );
    }));

  test('POST without a body sends Content-Length: 0', () =>
    withBench(subject, {}, async (bench) => {
      await bench.send({ method: 'POST' }).done;
      assert.deepEqual(bench.origin.requests[0]!.values('content-length'), ['0']);
    }));
}

function requestsThatCannotBe(subject: TransportUnderTest): void {
  for (const [name, parts] of UNSENDABLE) {
    test(`a request with ${name} is a failure of the client and sends nothing`, () =>
      withBench(subject, {}, async (bench) => {
        const attempt = await bench.send(parts).done;
        assert.equal(attempt.outcome, 'unsendable-request unsent');
        assert.deepEqual(attempt.log, ['failure']);
        assert.equal((await bench.send().done).outcome, 'ok');
        assert.equal(bench.origin.requests.length, 1);
      }));
  }

  for (const [name, body, bodyLength] of [
    ['shorter', 'hell', 5],
    ['longer', 'hello!', 5],
  ] as const) {
    test(`a body ${name} than announced is never complete, and its connection closes`, () =>
      withBench(subject, {}, async (bench) => {
        const attempt = await bench.sendWithBody(body, { bodyLength }).done;
        assert.equal(attempt.failure!.kind, 'unsendable-request');
        for (const { gone } of bench.origin.connections) await gone;
        assert.equal((await bench.send().done).outcome, 'ok');
        assert.deepEqual(
          bench.origin.requests.filter(({ isComplete }) => isComplete).map(({ requestLine }) => requestLine),
          ['GET / HTTP/1.1'],
        );
      }));
  }
}

const UNSENDABLE: readonly (readonly [string, Parameters<TransportBench['send']>[0]])[] = [
  ['a line break in a value', { fields: ['X-A', 'a\r\nX-B: b'] }],
  ['NUL in a value', { insertedFields: ['X-A', 'a\0b'] }],
  ['a character that is no byte', { fields: ['X-A', 'snowman \u2603'] }],
  ['a name that is no token', { fields: ['X A', 'a'] }],
  ['a line break in the host', { hostField: 'a\r\nX-B: b' }],
  ['a blank in the target', { target: '/a HTTP/1.1\r\nX-B: b' }],
  ['a blank in the method', { method: 'GET /x HTTP/1.1\r\nX:' }],
  ['CONNECT', { method: 'CONNECT', target: 'a.test:443' }],
];

/** End-to-end lines: neither framing nor connection-specific. */
function endToEnd(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^(host|connection|content-length|transfer-encoding):/i.test(line));
}

/** Sends one request and a canary after it: the endpoint must receive exactly these two. */
async function checkOneRequest(
  bench: TransportBench,
  method: string,
  shape: { name: string; body: string; bodyLength: number },
): Promise<void> {
  const count = bench.origin.requests.length;
  const attempt = await bench.sendWithBody(shape.body, { method, target: '/outer', bodyLength: shape.bodyLength }).done;
  assert.equal(attempt.outcome, 'ok', `${method} with ${shape.name}`);
  const received = bench.origin.requests[count]!;
  await received.completed;
  assert.equal(received.requestLine, `${method} /outer HTTP/1.1`);
  assert.equal(received.body.toString('latin1'), shape.body);
  assert.equal((await bench.send({ target: '/canary' }).done).outcome, 'ok');
  assert.equal(bench.origin.requests[count + 1]!.requestLine, 'GET /canary HTTP/1.1');
  assert.equal(bench.origin.requests.length, count + 2);
}
