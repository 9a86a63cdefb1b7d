// Request buffers and expectations of routes on both HTTP/1.1 paths. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { PATHS, startFairlead } from '../../support/fairlead.ts';
import { RawClient } from '../../support/raw-client.ts';

const CHUNKED = 'Host: a.test\r\nTransfer-Encoding: chunked\r\n';

/** An app server that answers with the framing of each request. */
async function startApp(t: TestContext): Promise<{ readonly port: number; begun: number }> {
  const server = createServer((request, response) => {
    app.begun += 1;
    const { expect, 'content-length': length, 'transfer-encoding': coding } = request.headers;
    let size = 0;
    request.on('data', (chunk: Buffer) => (size += chunk.length));
    request.on('end', () => response.end(JSON.stringify({ size, expect, length, coding })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const app = { port: (server.address() as AddressInfo).port, begun: 0 };
  return app;
}

for (const fastPath of PATHS) {
  describe(`uploads, fastPath: ${fastPath}`, () => {
    test('are buffered, and expectations answered, as the route says', async (t) => {
      const app = await startApp(t);
      const { port } = await startFairlead(
        t,
        `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
  - upstream: app
    requestBuffer: 64KiB
    routes:
      - { match: { path: /refuse }, expect: refuse }
      - { match: { path: /respond }, expect: respond, requestBuffer: false }
      - {}
upstreams: { app: { endpoints: ["http://127.0.0.1:${app.port}"], health: { heartbeat: false } } }
`,
      );
      const send = async (text: string): Promise<RawClient> => {
        const client = await RawClient.connect({ port });
        client.send(text);
        return client;
      };
      const answerTo = async (client: RawClient): Promise<unknown> => JSON.parse((await client.readResponse()).body);

      const slow = await send(`POST / HTTP/1.1\r\n${CHUNKED}\r\n3\r\nabc\r\n`);
      // Another request passes meanwhile: the one that is incomplete has not reached the app.
      const quick = await send('PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nok');
      assert.deepEqual(await answerTo(quick), { size: 2, length: '2' });
      assert.equal(app.begun, 1);
      slow.send('2\r\nde\r\n0\r\n\r\n');
      assert.deepEqual(await answerTo(slow), { size: 5, length: '5' });

      const large = await send(`POST / HTTP/1.1\r\n${CHUNKED}\r\n`);
      for (let n = 0; n < 30; n++) large.send(`2000\r\n${'x'.repeat(0x2000)}\r\n`);
      large.send('0\r\n\r\n');
      assert.deepEqual(await answerTo(large), { size: 30 * 0x2000, coding: 'chunked' });

      for (const path of ['/', '/respond']) {
        const waiting = await send(
          `POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`,
        );
        assert.equal((await waiting.readResponse()).status, 100);
        waiting.send('abc');
        assert.deepEqual(await answerTo(waiting), { size: 3, length: '3' });
      }
      const refused = await send(
        `POST /refuse HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`,
      );
      const { status, head } = await refused.readResponse();
      assert.equal(status, 417);
      assert.match(head, /^Connection: close\r$/m);
    });
  });
}
