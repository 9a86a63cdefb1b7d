// The HTTP client of discovery sources: replies, streams and their limits. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { HttpClient, type HttpOutcome, parseJson } from '../../../../discovery/http/http-client.ts';
import { compileAccess, parseHttpAddress } from '../../../../discovery/http/http-settings.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { type DiscoveryHandler, sourceContext, startDiscoveryServer } from '../../../support/discovery-server.ts';
import { eventually } from '../../../support/fairlead.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

function clientOf(t: TestContext, url: string, { access = {}, files = {}, timers = sourceContext().timers } = {}) {
  const address = parseHttpAddress(url, 80);
  assert.ok(address.ok);
  const { tls } = compileAccess(access, '/etc');
  const client = new HttpClient(address.value, tls, { timers, files: sourceContext(files).files });
  t.after(() => client.close());
  return client;
}

async function begin(t: TestContext, handler: DiscoveryHandler, timers?: FakeClock) {
  const server = await startDiscoveryServer(t, handler);
  return { server, client: clientOf(t, `http://127.0.0.1:${server.port}/base`, timers && { timers }) };
}

function causeOf(outcome: HttpOutcome): string {
  assert.equal(outcome.ok, false);
  return outcome.ok ? '' : outcome.cause;
}

describe('the HTTP client of a source', () => {
  test('sends requests, and reads replies with any status', async (t) => {
    const { server, client } = await begin(t, (request, response) => {
      const { host, 'x-token': token } = request.headers;
      response.writeHead(request.method === 'PUT' ? 403 : 200, { 'X-Index': '7' });
      request.on('data', (chunk) => response.write(chunk)).on('end', () => response.end(` ${host} ${String(token)}`));
    });
    const reply = await client.send({ path: '/a?b=1', fields: { 'x-token': 't' } });
    assert.ok(reply.ok);
    assert.equal(reply.text, ` 127.0.0.1:${server.port} t`);
    assert.equal(reply.fields['x-index'], '7');
    const refused = await client.send({ method: 'PUT', path: '/c', body: 'body' });
    assert.ok(refused.ok);
    assert.deepEqual([refused.status, refused.text.slice(0, 5)], [403, 'body ']);
    assert.deepEqual(server.requests, ['GET /base/a?b=1', 'PUT /base/c']);
  });

  const hostile: readonly (readonly [what: string, handler: DiscoveryHandler, cause: RegExp])[] = [
    ['a reply that is too large', (_request, response) => void response.end('x'.repeat(101)), /more than 100 bytes/],
    [
      'a reply that ends early',
      (_request, response) =>
        void response.writeHead(200, { 'content-length': '50' }).write('x', () => response.destroy()),
      /closed|reset|aborted/,
    ],
    ['a connection without a reply', (_request, response) => void response.destroy(), /closed|reset/],
    ['no HTTP', (request) => void request.socket.end('SSH-2.0-x\r\n'), /malformed/],
  ];
  for (const [what, handler, cause] of hostile) {
    test(`names the cause of ${what}`, async (t) => {
      const { client } = await begin(t, handler);
      assert.match(causeOf(await client.send({ path: '/' }, 100)), cause);
    });
  }

  test('names the cause where nothing listens, and where the reply is late', async (t) => {
    const clock = new FakeClock();
    const { server, client } = await begin(t, () => undefined, clock);
    const waiting = client.send({ path: '/', timeoutMs: 3_000 });
    await eventually(() => server.requests.length === 1, 'the request');
    clock.advance(3_000);
    assert.equal(causeOf(await waiting), 'no answer within 3 s');
    await server.stop();
    assert.equal(causeOf(await client.send({ path: '/' })), 'connection refused');
  });

  test('cancels an exchange by its signal, and all by closing', async (t) => {
    const { server, client } = await begin(t, () => undefined);
    const end = new AbortController();
    const one = client.send({ path: '/1', signal: end.signal });
    const other = client.stream({ path: '/2' }, () => undefined);
    await eventually(() => server.requests.length === 2, 'both requests');
    end.abort();
    assert.equal((await one).ok, false);
    client.close();
    assert.equal((await other).ok, false);
    assert.equal((await client.send({ path: '/3' })).ok, false);
  });

  test('reads a stream line by line, however it is cut', async (t) => {
    const text = Buffer.from('{"a":"é"}\n\n{"b":1}\r\n{"c":2}');
    const { client } = await begin(t, (_request, response) => {
      const writeFrom = (at: number): void => {
        if (at === text.length) response.end();
        else response.write(text.subarray(at, at + 1), () => writeFrom(at + 1));
      };
      writeFrom(0);
    });
    const lines: unknown[] = [];
    const end = await client.stream({ path: '/' }, (line) => lines.push(parseJson(line)));
    assert.ok(end.ok);
    assert.deepEqual(lines, [{ a: 'é' }, { b: 1 }, { c: 2 }]);
  });

  test('ends a stream that is silent, refused or has a line that is too long', async (t) => {
    const clock = new FakeClock();
    const { server, client } = await begin(t, (_request, response) => void response.write('1\n'), clock);
    const lines: string[] = [];
    const silent = client.stream({ path: '/', timeoutMs: 60_000 }, (line) => lines.push(line));
    await eventually(() => lines.length === 1, 'the first line');
    clock.advance(60_000);
    assert.equal(causeOf(await silent), 'no answer within 60 s');
    server.handler = (_request, response) => void response.writeHead(410).end('{"code":410}');
    const refused = await client.stream({ path: '/' }, () => undefined);
    assert.ok(refused.ok && refused.status === 410 && refused.text === '{"code":410}');
    server.handler = (_request, response) => {
      response.write('x'.repeat(5_000_000));
    };
    assert.match(causeOf(await client.stream({ path: '/' }, () => undefined)), /a line of the stream/);
  });

  test('connects over TLS with the configured CA and client certificate, and over a Unix socket', async (t) => {
    const { cert, key } = testCertificate(['server.test']);
    const tls = { cert, key, ca: cert, requestCert: true };
    const server = await startDiscoveryServer(t, (_request, response) => void response.end('secure'), { tls });
    const files: Record<string, string> = { '/etc/ca.pem': cert, '/etc/c.pem': cert, '/etc/k.pem': key };
    const access = { tls: { verify: true, ca: ['ca.pem'], cert: 'c.pem', key: 'k.pem', serverName: 'server.test' } };
    const url = `https://127.0.0.1:${server.port}`;
    const reply = await clientOf(t, url, { access, files }).send({ path: '/' });
    assert.ok(reply.ok && reply.text === 'secure', JSON.stringify(reply));
    assert.match(causeOf(await clientOf(t, url).send({ path: '/' })), /^TLS failed: /);
    const missing = await clientOf(t, url, { access }).send({ path: '/' });
    assert.match(causeOf(missing), /the file \/etc\/c\.pem is missing/);
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-http-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const where = path.join(folder, 'a.sock');
    await startDiscoveryServer(t, (request, response) => void response.end(request.headers.host), { where });
    const overSocket = await clientOf(t, `unix:${where}`).send({ path: '/' });
    assert.ok(overSocket.ok && overSocket.text === 'localhost');
  });

  test('survives any bytes in place of a reply', async (t) => {
    const replies: readonly string[] = [
      'HTTP/1.1 200 OK\r\n\r\n',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      '\0',
      '',
    ];
    let at = 0;
    const server = createServer((socket) => socket.on('error', () => undefined).end(replies[at++ % replies.length]!));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const client = clientOf(t, `http://127.0.0.1:${(server.address() as { port: number }).port}`);
    const outcomes = await Promise.all(replies.map(() => client.send({ path: '/' })));
    assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
  });
});
