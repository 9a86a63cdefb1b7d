// Other protocols than plain HTTP/1.1 over TCP, through a whole Fairlead: TLS with SNI, HTTP/2, WebSocket, Unix sockets,
// IPv6. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { PATHS, startFairlead } from '../../support/fairlead.ts';
import { endWithTest } from '../../support/http2-session.ts';
import { shareFairlead } from '../../support/shared-fairlead.ts';

const CERTIFICATES = join(import.meta.dirname, '../../unit/config/certificates');

const upstreams = (apps: readonly AppServer[]): string =>
  `{ app: { endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}] } }`;

async function startTls(t: TestContext, fastPath: boolean) {
  const apps = await startApps(t, 1);
  const fairlead = await shareFairlead(
    `TLS, fastPath: ${fastPath}`,
    `
workers: 1
fastPath: ${fastPath}
listeners:
  - name: web
    bind: "127.0.0.1:0"
    tls:
      certificates:
        - { cert: ${CERTIFICATES}/api.example.com.pem, key: ${CERTIFICATES}/api.example.com.key }
        - { cert: ${CERTIFICATES}/shop.example.com.pem, key: ${CERTIFICATES}/shop.example.com.key }
routes: [{ upstream: app }]
upstreams: ${upstreams(apps)}
`,
  );
  return { app: apps[0]!, port: fairlead.port };
}

/** Subject of the certificate that a name gets, and what is spoken. */
async function shake(
  port: number,
  servername: string,
  protocols: string[],
): Promise<{ subject: string; spoken: string }> {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    servername,
    ALPNProtocols: protocols,
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  const spoken = String(socket.alpnProtocol);
  socket.destroy();
  return { subject: String(subject.CN), spoken };
}

for (const fastPath of PATHS) {
  describe(`TLS, fastPath: ${fastPath}`, () => {
    test('takes the certificate by server name, the first where none fits, and speaks what ALPN settles', async (t) => {
      const { port } = await startTls(t, fastPath);
      assert.deepEqual(await shake(port, 'api.example.com', ['http/1.1']), {
        subject: 'api.example.com',
        spoken: 'http/1.1',
      });
      assert.equal((await shake(port, 'shop.example.com', ['h2'])).subject, 'shop.example.com');
      assert.equal((await shake(port, 'shop.example.com', ['h2', 'http/1.1'])).spoken, 'h2');
      assert.equal((await shake(port, 'other.example.com', ['http/1.1'])).subject, 'api.example.com');
    });

    test('carries HTTP/1.1, and tells the endpoint that it was https', async (t) => {
      const { app, port } = await startTls(t, fastPath);
      let proto: unknown;
      app.handler = (incoming, response) => {
        proto = incoming.headers['x-forwarded-proto'];
        response.end('over tls');
      };
      const socket = tls.connect({ port, host: '127.0.0.1', servername: 'api.example.com', rejectUnauthorized: false });
      socket.write('GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n');
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*over tls/);
      assert.equal(proto, 'https');
    });
  });

  describe(`HTTP/2, fastPath: ${fastPath}`, () => {
    test('carries many requests with bodies over one connection', async (t) => {
      const { app, port } = await startTls(t, fastPath);
      app.handler = (incoming, response) => {
        response.setHeader('x-seen-host', incoming.headers.host ?? '');
        incoming.pipe(response);
      };
      const session = connectHttp2(`https://api.example.com:${port}`, {
        rejectUnauthorized: false,
        createConnection: () =>
          tls.connect({
            port,
            host: '127.0.0.1',
            servername: 'api.example.com',
            ALPNProtocols: ['h2'],
            rejectUnauthorized: false,
          }),
      });
      endWithTest(t, session);
      const ask = async (body: string): Promise<string> => {
        const stream = session.request({ ':method': 'POST', ':path': '/echo' });
        stream.end(body);
        let text = '';
        for await (const chunk of stream) text += String(chunk);
        return text;
      };
      const bodies = Array.from({ length: 50 }, (_, index) => `body ${index} `.repeat(100));
      assert.deepEqual(await Promise.all(bodies.map(ask)), bodies);
    });

    test('sees a truncated response as an error', async (t) => {
      const { app, port } = await startTls(t, fastPath);
      app.handler = (_incoming, response) => {
        response.write('half');
        setImmediate(() => response.destroy());
      };
      const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
      endWithTest(t, session);
      const stream = session.request({ ':path': '/' });
      stream.resume();
      await assert.rejects(once(stream, 'end'), /ERR_HTTP2_STREAM_ERROR|closed with error/);
    });
  });

  describe(`a listener, fastPath: ${fastPath}`, () => {
    test('on a Unix socket and on IPv6 serves as any other', async (t) => {
      const apps = await startApps(t, 1);
      const folder = mkdtempSync(join(tmpdir(), 'fairlead-unix-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      const socketPath = join(folder, 'web.sock');
      const fairlead = await startFairlead(
        t,
        `
workers: 2
fastPath: ${fastPath}
listeners: [{ name: six, bind: "[::1]:0" }, { name: local, bind: "unix:${socketPath}" }]
routes: [{ upstream: app }]
upstreams: ${upstreams(apps)}
`,
      );
      const get = async (where: { socketPath: string } | { host: string; port: number }): Promise<number> => {
        const sent = request({ ...where, agent: false }).end();
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        response.resume();
        await once(response, 'end');
        return response.statusCode ?? 0;
      };
      const shares = fairlead.log.filter(({ text }) => text.includes('is served by')).map(({ text }) => text);
      assert.match(shares.join(), /^listener local is served by 1 of 2 workers: a Unix socket belongs to .*--holder/);
      assert.equal(await get({ socketPath }), 200);
      assert.equal(await get({ host: '::1', port: fairlead.port }), 200);
    });
  });

  describe(`WebSocket, fastPath: ${fastPath}`, () => {
    test('is relayed both ways, over a dead endpoint to a living one', async (t) => {
      const apps = await startApps(t, 2);
      await apps[0]!.kill();
      apps[1]!.onUpgrade = (socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      };
      const fairlead = await startFairlead(
        t,
        `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams: ${upstreams(apps)}
`,
      );
      for (let index = 0; index < 4; index++) {
        const sent = request({
          port: fairlead.port,
          host: '127.0.0.1',
          headers: { connection: 'Upgrade', upgrade: 'echo' },
        }).end();
        const [, socket] = (await once(sent, 'upgrade')) as [unknown, Socket];
        socket.write(`ping ${index}`);
        const [echoed] = (await once(socket, 'data')) as [Buffer];
        assert.equal(String(echoed), `ping ${index}`);
        socket.destroy();
      }
    });
  });
}
