// HTTP/1.2 to 1.9 were refused: requests with 505, responses with 502. A recipient processes them as HTTP/1.1, the highest
// minor version that it implements (RFC 9110 section 2.5). Other major versions stay refused. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { send } from '../support/scripted-origin.ts';
import { CLIENT_PATHS, startPath } from '../support/three-paths.ts';
import { withBench } from '../support/transport-bench.ts';
import { TRANSPORTS } from '../support/transports.ts';

const HOST = 'Host: a.test\r\n';

for (const path of CLIENT_PATHS) {
  describe(`requests of a later minor version on ${path}`, () => {
    test('are forwarded as HTTP/1.1 on a connection that stays open', async (t) => {
      const { origin, connect } = await startPath(t, path);
      const client = await connect();
      const sent = ['GET /1 HTTP/1.2', 'GET http://a.test/2 HTTP/1.9', 'LIST /3 HTTP/1.3', 'OPTIONS * HTTP/1.2'];
      for (const line of [...sent, 'GET /5 HTTP/1.1', 'GET /6 HTTP/1.2']) {
        client.send(`${line}\r\n${HOST}\r\n`);
        const { status, head } = await client.readResponse();
        assert.deepEqual([status, head.slice(0, 8)], [200, 'HTTP/1.1'], line);
      }
      assert.deepEqual(
        origin.requests.map(({ requestLine }) => requestLine),
        ['GET /1', 'GET /2', 'LIST /3', 'OPTIONS *', 'GET /5', 'GET /6'].map((line) => `${line} HTTP/1.1`),
      );
    });

    test('have bodies, and are pipelined', async (t) => {
      const { origin, connect } = await startPath(t, path);
      const client = await connect();
      const put = `PUT /1 HTTP/1.2\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`;
      client.send(`${put}${put}GET /2 HTTP/1.1\r\n${HOST}\r\n`);
      for (let count = 0; count < 3; count += 1) assert.equal((await client.readResponse()).status, 200);
      assert.deepEqual(
        origin.requests.map(({ body }) => body.toString()),
        ['hi', 'hi', ''],
      );
    });

    for (const line of ['GET / HTTP/0.9', 'GET / HTTP/2.0', 'GET / HTTP/2.1', 'GET / HTTP/3.0', 'GET / HTTP/0.2']) {
      test(`refuses ${line}`, async (t) => {
        const { origin, connect } = await startPath(t, path);
        const client = await connect();
        client.send(`${line}\r\n${HOST}\r\n`);
        const { status } = await client.readResponse();
        assert.ok(status === 505 || (status === 400 && line.endsWith('0.9')), String(status));
        assert.equal(origin.requests.length, 0);
      });
    }

    test('CONNECT is refused with 501, and is not passed back and forth between parsers', async (t) => {
      const { connect } = await startPath(t, path);
      const client = await connect();
      client.send(`CONNECT a.test:443 HTTP/1.2\r\n${HOST}\r\n`);
      assert.equal((await client.readResponse()).status, 501);
    });

    test('responses of a later minor version are relayed as HTTP/1.1', async (t) => {
      const { origin, connect } = await startPath(t, path);
      origin.play(send('HTTP/1.9 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      const client = await connect();
      client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
      const { head, body } = await client.readResponse();
      assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(body, 'ok');
    });
  });
}

for (const transport of TRANSPORTS) {
  describe(transport.name, () => {
    test('connections stay open after a response of a later minor version', () =>
      withBench(transport, {}, async (bench) => {
        const response = send('HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok');
        bench.origin.play(response);
        bench.origin.play(response);
        for (let count = 0; count < 2; count += 1) {
          const attempt = await bench.send({}).done;
          assert.deepEqual([attempt.outcome, attempt.head!.status, attempt.body], ['ok', 200, 'ok']);
          await bench.idled();
        }
        assert.equal(bench.origin.connections.length, 1);
      }));
  });
}
