// Policy forward-auth against a stand-in that keeps the contract of oauth2-proxy: 202 with X-Auth-Request-* and a renewed
// cookie, 401, or 302 to the login, by the session cookie. Thread: both.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { forwardAuth } from '../../../../proxy/policies/forward-auth.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';

const connection = { isTls: true, localPort: 443 };

describe('forward-auth', () => {
  let server: Server;
  let url = '';
  const seen: IncomingMessage[] = [];
  let connections = 0;

  before(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      const cookie = request.headers.cookie ?? '';
      if (request.url === '/broken') response.writeHead(500).end();
      else if (request.url === '/silent') return;
      else if (cookie.includes('_oauth2_proxy=valid')) {
        response.setHeader('Set-Cookie', ['_oauth2_proxy=renewed; Path=/; HttpOnly', 'csrf=x']);
        response
          .writeHead(202, { 'X-Auth-Request-User': 'alice', 'X-Auth-Request-Email': 'alice@example.com' })
          .end('ok');
      } else if (request.url === '/login') {
        response.writeHead(302, { Location: 'https://sso.example.com/?rd=1', 'Set-Cookie': 'csrf=y' }).end('moved');
      } else
        response.writeHead(401, { 'Content-Type': 'text/html', 'WWW-Authenticate': 'Bearer' }).end('<h1>sign in</h1>');
    });
    server.on('connection', () => (connections += 1));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const bench = (options: object = {}, path = '/oauth2/auth') =>
    testPolicy(forwardAuth as never, { forwardAuth: { url: `${url}${path}`, ...options } });

  test('lets a request pass with the named fields of a 2xx, and no others', async () => {
    const copied = { copyResponse: ['X-Auth-Request-User', 'x-auth-request-groups'], copyToClient: ['Set-Cookie'] };
    const guarded = bench(copied);
    const fields = ['Cookie', '_oauth2_proxy=valid', 'X-Auth-Request-User', 'admin', 'X-Auth-Request-Groups', 'root'];
    const exchange = await guarded.request({ fields });
    assert.deepEqual(
      ['x-auth-request-user', 'x-auth-request-groups', 'x-auth-request-email'].map((name) =>
        exchange.sent?.field(name),
      ),
      ['alice', undefined, undefined],
    );
    const cookies = exchange.respond({ fields: ['Set-Cookie', 'app=1'] }).fields;
    const values = cookies.filter((_, at) => at % 2 === 1);
    assert.deepEqual(values, ['app=1', '_oauth2_proxy=renewed; Path=/; HttpOnly', 'csrf=x']);
    assert.deepEqual([guarded.counts.allowed, guarded.counts.calls, guarded.counts.callFailures], [1, 1, 0]);
  });

  test('sends a GET with the request, its body left out and forged fields replaced', async () => {
    const fields = [
      'X-Forwarded-Uri',
      '/public',
      'X-Forwarded-Method',
      'GET',
      'X-Forwarded-For',
      '6.6.6.6',
      'X-A',
      'a',
    ];
    const request = { method: 'POST', target: '/admin?x=1', authority: 'shop.test', fields, connection };
    await bench().request(request);
    const { method, headers } = seen.at(-1)!;
    const names = ['method', 'uri', 'host', 'proto', 'for'].map((name) => headers[`x-forwarded-${name}`]);
    assert.deepEqual([method, ...names], ['GET', 'POST', '/admin?x=1', 'shop.test', 'https', '192.0.2.1']);
    assert.deepEqual([headers['x-a'], headers.host, headers['content-length']], ['a', url.slice(7), undefined]);
    await bench({ copyRequest: ['Cookie'], trustForwardFields: true }).request({
      ...request,
      connection: { isTrusted: true },
    });
    const kept = seen.at(-1)!.headers;
    assert.deepEqual([kept['x-a'], kept['x-forwarded-uri'], kept['x-forwarded-method']], [undefined, '/public', 'GET']);
  });

  test('sends a 401 and a redirect to the client as they are', async () => {
    const refused = (await bench().request()).reply!;
    assert.deepEqual(
      [refused.status, refused.body, refused.field('www-authenticate')],
      [401, '<h1>sign in</h1>', 'Bearer'],
    );
    assert.equal(refused.field('connection') ?? refused.field('content-length'), undefined);
    const moved = (await bench({}, '/login').request()).reply!;
    assert.deepEqual(
      [moved.status, moved.field('location'), moved.field('set-cookie')],
      [302, 'https://sso.example.com/?rd=1', 'csrf=y'],
    );
  });

  for (const [name, options, path] of [
    ['answers 500', {}, '/broken'],
    ['does not answer in time', { timeout: '50ms' }, '/silent'],
    ['cannot be reached', { url: 'http://127.0.0.1:1/' }, ''],
  ] as const) {
    test(`refuses requests where the service ${name}, unless it may let them pass`, async () => {
      const guarded = bench(options, path);
      assert.equal((await guarded.request()).reply?.status, 503);
      assert.equal(guarded.counts.callFailures, 1);
      assert.match(guarded.log.map(({ text }) => text).join(), /has no decision: .*; requests are refused/);
      assert.equal((await bench({ ...options, onFailure: 'allow' }, path).request()).reply, null);
    });
  }

  test('keeps its connections, and bounds their number', async () => {
    const guarded = bench({ connections: 2 });
    const before = connections;
    await Promise.all(Array.from({ length: 20 }, () => guarded.request()));
    assert.ok(connections - before <= 2, `${connections - before} connections`);
    guarded.dispose();
  });

  test('refuses what it cannot send or set', () => {
    const load = (options: object) => () => bench(options);
    assert.throws(load({ url: 'ftp://a' }), /not an http or https URL/);
    assert.throws(
      load({ copyResponse: ['X-Forwarded-For'] }),
      /copyResponse\.0: the field X-Forwarded-For cannot be set/,
    );
    assert.throws(load({ copyToClient: ['Content-Length'] }), /copyToClient\.0/);
    assert.throws(load({ timeout: '2m' }), /at most 1m/);
  });
});
