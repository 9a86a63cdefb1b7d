// WebSockets over HTTP/2 missed routes with `protocol: websocket`, and took an ordinary 200 of the endpoint, which had ignored
// the Upgrade, for its acceptance. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2, { type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startFairlead } from '../support/fairlead.ts';
import { endWithTest } from '../support/http2-session.ts';
import { within } from '../support/raw-client.ts';

async function statusOf(session: ClientHttp2Session, path: string, protocol: string | null): Promise<number> {
  const connect = { ':method': 'CONNECT', ':protocol': protocol ?? '', 'sec-websocket-version': '13' };
  const stream = session.request({ ':path': path, ...(protocol !== null && connect) });
  stream.on('error', () => undefined);
  const [head] = (await within(once(stream, 'response'), 'a response')) as [IncomingHttpHeaders];
  stream.close();
  return Number(head[':status']);
}

test('WebSockets over HTTP/2', async (t) => {
  // Answers as if it knew no Upgrade.
  const endpoint = http.createServer((request, response) => {
    response.writeHead(request.url === '/204' ? 204 : 200).end();
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  t.after(() => endpoint.close());
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
routes:
  - { match: { path: /sockets, protocol: websocket }, respond: { status: 418 } }
  - { match: { path: /others, not: { protocol: websocket } }, respond: { status: 418 } }
  - { upstream: app }
upstreams: { app: { endpoints: ["http://127.0.0.1:${(endpoint.address() as AddressInfo).port}"], health: { heartbeat: false } } }
`,
  );
  const session = http2.connect(fairlead.url);
  endWithTest(t, session);
  await once(session, 'remoteSettings');

  for (const [path, protocol, status] of [
    ['/sockets', 'websocket', 418],
    ['/sockets', null, 200],
    ['/others', null, 418],
    ['/others', 'websocket', 501],
    ['/', 'websocket', 501],
    ['/204', 'websocket', 501],
  ] as const) {
    await t.test(`${path} by ${protocol ?? 'an ordinary request'} is ${status}`, async () => {
      assert.equal(await statusOf(session, path, protocol), status);
    });
  }

  await t.test('the log names the endpoint that ignored the Upgrade', () => {
    assert.ok(fairlead.log.some(({ text }) => /cannot take an upgrade: answered an Upgrade by status 200/.test(text)));
  });
});
