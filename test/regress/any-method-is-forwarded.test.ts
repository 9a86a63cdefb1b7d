// Methods outside llhttp's list (LIST, VERSION-CONTROL, lower case, long ones) were answered with 501 over HTTP/1.1 and
// forwarded over HTTP/2. CONNECT alone is refused. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT_PATHS, startPath } from '../support/three-paths.ts';

const METHODS = ['LIST', 'VERSION-CONTROL', 'UPDATE', 'get', 'QUERY', 'M-SEARCH', 'X'.repeat(40), "!#$%&'*+-.^_`|~"];
const HOST = 'Host: a.test\r\n';

for (const path of CLIENT_PATHS.filter((name) => name !== 'node:http')) {
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
