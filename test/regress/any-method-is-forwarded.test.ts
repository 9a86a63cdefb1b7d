// Methods outside llhttp's list (LIST, VERSION-CONTROL, lower case, long ones) were answered with 501 over HTTP/1.1 and
// forwarded over HTTP/2. CONNECT alone is refused. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer, bodyRead, send, until } from '../support/scripted-origin.ts';
import { CLIENT_PATHS, startPath } from '../support/three-paths.ts';

const METHODS = ['LIST', 'VERSION-CONTROL', 'UPDATE', 'get', 'QUERY', 'M-SEARCH', 'X'.repeat(40), "!#$%&'*+-.^_`|~"];
const HOST = 'Host: a.test\r\n';

for (const path of CLIENT_PATHS) {
  describe(`methods on ${path}`, () => {
    test('any token is forwarded, with and without a body, beside an Upgrade too', async (t) => {
      const { origin, connect } = await startPath(t, path);
      const client = await connect();
      const lines: string[] = [];
      for (const method of METHODS) {
        for (const fields of ['', 'Content-Length: 2\r\n', 'Connection: upgrade\r\nUpgrade: tea\r\n']) {
          // node:http serves an Upgrade with a method that it knows.
          if (fields.includes('Upgrade') && (method === 'QUERY' || method === 'M-SEARCH')) continue;
          client.send(`${method} /x HTTP/1.1\r\n${HOST}${fields}\r\n${fields.startsWith('Content') ? 'hi' : ''}`);
          assert.equal((await client.readResponse()).status, 200, `${method} ${fields}`);
          lines.push(`${method} /x HTTP/1.1`);
        }
      }
      assert.deepEqual(
        origin.requests.map(({ requestLine }) => requestLine),
        lines,
      );
    });

    test('in absolute-form too, behind requests that node:http serves, on a connection that stays open', async (t) => {
      const { origin, connect } = await startPath(t, path);
      const client = await connect();
      const lines: string[] = [];
      for (const method of ['GET', ...METHODS, 'GET']) {
        const head = `${method} http://a.test/x?y HTTP/1.1\r\nHost: other.test\r\nTransfer-Encoding: chunked\r\n\r\n`;
        client.send(`${head}2\r\nhi\r\n0\r\n\r\n`);
        assert.equal((await client.readResponse()).status, 200, method);
        lines.push(`${method} /x?y HTTP/1.1`);
      }
      assert.deepEqual(
        origin.requests.map(({ requestLine }) => requestLine),
        lines,
      );
      assert.ok(origin.requests.every((request) => request.values('host')[0] === 'a.test'));
    });

    test('pipelined behind a request that node:http serves, with a body in pieces and requests behind it', async (t) => {
      const { origin, connect } = await startPath(t, path);
      const { promise, resolve } = Promise.withResolvers<void>();
      origin.play(bodyRead(), until(promise), send(answer('first')));
      const client = await connect();
      const list = `LIST /2 HTTP/1.1\r\n${HOST}Content-Length: 4\r\n\r\nab`;
      client.send(
        `POST http://a.test/1 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n${list}`,
      );
      await origin.request(0);
      client.send(`cdGET /3 HTTP/1.1\r\n${HOST}\r\n`);
      resolve();
      assert.equal((await client.readResponse()).body, 'first');
      assert.equal((await client.readResponse()).body, 'ok');
      assert.equal((await client.readResponse()).body, 'ok');
      const received = origin.requests.map(({ requestLine, body }) => [requestLine, body.toString()]);
      assert.deepEqual(received, [
        ['POST /1 HTTP/1.1', 'hi'],
        ['LIST /2 HTTP/1.1', 'abcd'],
        ['GET /3 HTTP/1.1', ''],
      ]);
    });

    test('one that may begin elsewhere is refused, not misread: in pieces on node:http, or behind a body of known length', async (t) => {
      const { origin, connect } = await startPath(t, path);
      const inPieces = await connect();
      inPieces.send('LI');
      const behind = await connect();
      behind.send(`PUT http://a.test/ HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhiLIST /1 HTTP/1.1\r\n${HOST}\r\n`);
      assert.equal((await behind.readResponse()).status, 200);
      inPieces.send(`ST /1 HTTP/1.1\r\n${HOST}\r\n`);
      const { status } = await inPieces.readResponse();
      assert.ok(path === 'node:http' ? [200, 400, 501].includes(status) : status === 200, String(status));
      const allowed = ['PUT / HTTP/1.1', 'LIST /1 HTTP/1.1'];
      assert.ok(origin.requests.every(({ requestLine }) => allowed.includes(requestLine)));
    });

    test('over HTTP/1.0 too, with a response that ends with the connection', async (t) => {
      const { origin, connect } = await startPath(t, path);
      for (const method of METHODS) {
        const client = await connect();
        client.send(`${method} /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`);
        const text = await client.readToEnd();
        assert.match(text, /^HTTP\/1\.1 200 /, method);
        assert.doesNotMatch(text, /transfer-encoding|100 Continue/i);
        assert.match(text, /\r\nConnection: close\r\n/i);
      }
      assert.deepEqual(
        origin.requests.map(({ requestLine }) => requestLine),
        METHODS.map((method) => `${method} /x HTTP/1.1`),
      );
    });

    test('CONNECT is refused with 501, and its connection is closed', async (t) => {
      const { origin, connect } = await startPath(t, path);
      const client = await connect();
      client.send(`CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`);
      const response = await client.readResponse();
      assert.equal(response.status, 501);
      assert.match(response.body, /reverse proxy/);
      assert.equal(await client.readToEnd(), '');
      assert.equal(origin.requests.length, 0);
    });
  });
}
