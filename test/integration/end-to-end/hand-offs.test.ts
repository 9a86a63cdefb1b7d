// Which connections stay on the fast path, over TCP and over TLS after ALPN, and which are handed over. The route has a rate
// limit and header edits, and endpoints get X-Real-IP: neither leaves the fast path. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { LISTENER_FIELD } from '../../../core/memory/lane-fields.ts';
import { startApps } from '../../support/app-server.ts';
import { testCertificate } from '../../support/certificates.ts';
import { startFairlead } from '../../support/fairlead.ts';
import { RawClient } from '../../support/raw-client.ts';

const HEAD = 'HTTP/1.1\r\nHost: a.test\r\n';

/** @returns a client, and how many connections have been handed over so far */
async function start(t: TestContext, isTls: boolean) {
  const apps = await startApps(t, 1);
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-hand-offs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { cert, key } = testCertificate(['a.test']);
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  const tls = `, tls: { certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] }`;
  const { plane, port } = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0"${isTls ? tls : ''} }]
routes:
  - upstream: app
    rateLimit: 1000/s
    requestHeaders: { set: { X-Team: blue, X-Host: "{host}" }, remove: [x-debug-*] }
    responseHeaders: { set: { X-Served: "{requestId}" }, remove: [server] }
upstreams: { app: { endpoints: ["http://${apps[0]!.address}"] } }
`,
  );
  const client = await RawClient.connect({ port, ...(isTls ? { tls: { ALPNProtocols: ['http/1.1'] } } : {}) });
  t.after(() => client.destroy());
  const { region } = plane;
  return { client, handOffs: () => region.doubles[region.listenerLane(0, 0) + LISTENER_FIELD.handOffs] };
}

for (const isTls of [false, true]) {
  describe(`over ${isTls ? 'TLS' : 'TCP'}`, () => {
    test('requests with and without bodies, pipelined ones and refused ones stay on the fast path', async (t) => {
      const { client, handOffs } = await start(t, isTls);
      const sent = [
        `GET / ${HEAD}\r\n`,
        `POST / ${HEAD}Content-Length: 5\r\n\r\nhello`,
        `POST / ${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
        `GET / ${HEAD}\r\nGET / ${HEAD}\r\n`,
        `POST / ${HEAD}Content-Length: 0\r\nExpect: 100-continue\r\n\r\n`,
        `VERSION-CONTROL / ${HEAD}\r\n`,
        `GET / ${HEAD}Content-Length: 1, 1\r\n\r\n`,
      ];
      client.send(sent.join(''));
      for (const status of [200, 200, 200, 200, 200, 200, 400, 400])
        assert.equal((await client.readResponse()).status, status);
      assert.equal(handOffs(), 0);
    });

    for (const [what, request] of [
      ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n'],
      ['an upgrade', `GET / ${HEAD}Connection: upgrade\r\nUpgrade: tea\r\n\r\n`],
    ] as const) {
      test(`${what} behind another request is the general path's, and served`, async (t) => {
        const { client, handOffs } = await start(t, isTls);
        client.send(`GET / ${HEAD}\r\n`);
        assert.equal((await client.readResponse()).status, 200);
        assert.equal(handOffs(), 0);
        client.send(request);
        assert.ok((await client.readResponse()).status >= 200);
        assert.equal(handOffs(), 1);
      });
    }
  });
}
