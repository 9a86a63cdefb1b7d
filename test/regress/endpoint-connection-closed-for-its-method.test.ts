// A HEAD request, or a body with a method such as GET or DELETE, cost its endpoint connection on the general path: undici
// closes connections by the method. Unregistered methods must not make a difference either. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UNKNOWN_LENGTH } from '../../core/head.ts';
import { answer, bodyRead, send } from '../support/scripted-origin.ts';
import { withBench } from '../support/transport-bench.ts';
import { TRANSPORTS } from '../support/transports.ts';

const METHODS = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'LIST', 'update', 'VERSION-CONTROL'];
const LONG_METHOD = 'M'.repeat(40);
const HEAD_ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n',
];

for (const transport of TRANSPORTS) {
  describe(`${transport.name}: the connection is kept`, () => {
    for (const method of [...METHODS, LONG_METHOD]) {
      test(`after ${method}, with and without a body`, () =>
        withBench(transport, {}, async (bench) => {
          if (method === 'HEAD') bench.origin.otherwise = [bodyRead(), send(HEAD_ANSWERS[0]!)];
          for (const [body, bodyLength] of [
            ['', 0],
            ['hello', 5],
            ['hello', UNKNOWN_LENGTH],
          ] as const) {
            const attempt = await bench.sendWithBody(body, { method, bodyLength }).done;
            assert.equal(attempt.outcome, 'ok');
            await bench.idled();
          }
          assert.equal(bench.origin.connections.length, 1);
          assert.deepEqual(
            bench.origin.requests.map(({ requestLine, body }) => `${requestLine} ${body.toString()}`),
            [`${method} / HTTP/1.1 `, `${method} / HTTP/1.1 hello`, `${method} / HTTP/1.1 hello`],
          );
        }));
    }

    test('after every response to HEAD that its framing allows to be reused', () =>
      withBench(transport, {}, async (bench) => {
        for (const text of HEAD_ANSWERS) {
          bench.origin.play(send(text));
          assert.equal((await bench.send({ method: 'HEAD' }).done).outcome, 'ok');
          await bench.idled();
        }
        bench.origin.play(send(answer('hello')));
        assert.equal((await bench.send().done).body, 'hello');
        assert.equal(bench.origin.connections.length, 1);
      }));
  });
}
