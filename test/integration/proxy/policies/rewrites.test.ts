// Rewrites end to end: request lines that endpoints receive and references that clients receive, over HTTP/1.1 on both
// paths, HTTP/2 and Upgrade. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { AppServer } from '../../../support/app-server.ts';
import { PATHS, startFairlead } from '../../../support/fairlead.ts';
import { talk } from '../../../support/wire.ts';
import { endWithTest } from '../../../support/http2-session.ts';

const CERTIFICATES = join(import.meta.dirname, '../../../unit/config/certificates');

const ROUTES = `
routes:
  - { match: { path: /api }, upstream: app, rewrite: { stripPrefix: /api, location: true, cookiePath: true, cookieDomain: { app.test: none } } }
  - { match: { path: /tenant }, upstream: app, rewrite: { stripPrefix: /tenant, addPrefix: /t/1 } }
  - { match: { path: /old }, upstream: app, rewrite: { regex: { match: '^/old/([0-9]+)', replace: '/new-$1' }, query: { set: { from: old site }, remove: [debug] } } }
  - { upstream: app }
`;

async function start(t: TestContext, fastPath: boolean) {
  const app = new AppServer('app');
  const received: IncomingMessage[] = [];
  app.handler = (request, response) => {
    received.push(request);
    if (request.url === '/retry' && received.filter(({ url }) => url === '/retry').length === 1) {
      request.socket.destroy();
      return;
    }
    response.setHeader('location', [`http://${app.address}/login?a`]);
    response.setHeader('set-cookie', ['s=1; Path=/; Domain=app.test', 'u=2; Path=/x']);
    request.resume().on('end', () => response.end('ok'));
  };
  app.onUpgrade = (socket, request) => {
    received.push(request);
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
  };
  await app.start();
  t.after(() => app.kill());
  const certificate = `${CERTIFICATES}/api.example.com`;
  const fairlead = await startFairlead(
    t,
    `
workers: 1
fastPath: ${fastPath}
listeners:
  - { name: web, bind: "127.0.0.1:0", trustedProxies: [127.0.0.1] }
  - { name: tls, bind: "127.0.0.1:0", tls: { certificates: [{ cert: ${certificate}.pem, key: ${certificate}.key }] } }
${ROUTES}
upstreams:
  app: { endpoints: ["http://${app.address}"], health: { heartbeat: false }, sticky: { cookie: lb, secret: sixteen letters and more } }
`,
  );
  const get = async (target: string, fields = ''): Promise<string> =>
    (await talk(fairlead.port, `GET ${target} HTTP/1.1\r\nHost: www.test\r\nConnection: close\r\n${fields}\r\n`)).text;
  return { get, received, port: fairlead.port, tlsPort: fairlead.plane.bound[1]!.port!, log: fairlead.log };
}

for (const fastPath of PATHS) {
  describe(`rewrites, fastPath: ${fastPath}`, () => {
    test('change the request line alone, and map references back', async (t) => {
      const { get, received } = await start(t, fastPath);
      const text = await get('/api/a%20b/c?x=%2F', 'X-Test: 1\r\nX-Forwarded-Prefix: /outer\r\n');
      const [request] = received;
      assert.equal(request!.url, '/a%20b/c?x=%2F');
      assert.equal(request!.headers['x-test'], '1');
      assert.equal(request!.headers['x-forwarded-prefix'], '/outer/api');
      assert.match(text, /^location: http:\/\/www\.test\/api\/login\?a\r$/im);
      assert.match(text, /^set-cookie: s=1; Path=\/api\r$/im);
      assert.match(text, /^set-cookie: u=2; Path=\/api\/x\r$/im);
      assert.match(text, /^set-cookie: lb=/im, 'the sticky cookie stays');
      assert.equal([...text.matchAll(/^(?:location|set-cookie):/gim)].length, 4);
    });

    test('have one form on every way to an endpoint', async (t) => {
      const { get, received, port, tlsPort } = await start(t, fastPath);
      const targets: readonly (readonly [target: string, sent: string])[] = [
        ['/tenant/x', '/t/1/x'],
        ['/old/12/x?debug=1&a', '/new-12/x?a&from=old%20site'],
        ['/api', '/'],
        ['/other?x', '/other?x'],
        ['/api/retry', '/retry'],
      ];
      for (const [target, sent] of targets) {
        assert.match(await get(target), /^HTTP\/1\.1 200 /);
        assert.equal(received.at(-1)!.url, sent);
      }
      const refused = await get('/tenant/..%2f..%2fsecret');
      assert.match(refused, /^HTTP\/1\.1 400 [\s\S]*ambiguous-path/);
      await talk(port, 'POST /api/post HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi');
      assert.equal(received.at(-1)!.url, '/post');
      await talk(port, 'GET /api/ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      assert.equal(received.at(-1)!.url, '/ws');
      const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, { rejectUnauthorized: false });
      endWithTest(t, session);
      const stream = session.request({ ':path': '/tenant/h2?x' });
      await once(stream.resume(), 'close');
      assert.equal(received.at(-1)!.url, '/t/1/h2?x');
    });
  });
}
