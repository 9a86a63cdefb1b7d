// HTTP/2 endpoints (node:http2) behind a complete Fairlead: clients of both protocols on both paths. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2, { type ClientHttp2Session, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { eventually, PATHS, startFairlead } from '../../../support/fairlead.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';
import { endWithTest } from '../../../support/http2-session.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly interim: readonly number[];
}

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly trailers?: Record<string, string>;
}

/** Echoes the body and facts of the request. */
function serveStream(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  const path = headers[':path']!;
  stream.on('error', () => undefined);
  if (path === '/early') {
    stream.respond({ ':status': 413 }, { endStream: true });
    setImmediate(() => stream.close(http2.constants.NGHTTP2_NO_ERROR));
    return;
  }
  if (path === '/hints') stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
  if (path === '/refused') return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  const chunks: Buffer[] = [];
  let trailers = {};
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('trailers', (given) => (trailers = { ...given }));
  stream.on('end', () => {
    const length = headers['content-length'] ?? 'none';
    stream.respond({ ':status': 200, 'x-path': path, 'x-length': length }, { waitForTrailers: true });
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'x-sum': String(Buffer.concat(chunks).length), ...trailers }),
    );
    stream.end(Buffer.concat(chunks));
  });
}

async function serve(t: TestContext, server: Http2Server): Promise<number> {
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', serveStream);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The certificates of a TLS listener, in files. */
function certificateFiles(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-http2-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'cert.pem'), ORIGIN_CERTIFICATE);
  writeFileSync(join(folder, 'key.pem'), ORIGIN_KEY, { mode: 0o600 });
  return `{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }`;
}

async function overHttp1(port: number, { method = 'GET', path, body, trailers }: Sent): Promise<Answer> {
  const headers = { te: 'trailers', connection: 'close, te' };
  const request = http.request({ port, host: '127.0.0.1', method, path, headers, agent: false });
  const interim: number[] = [];
  request.on('information', ({ statusCode }) => interim.push(statusCode));
  if (trailers !== undefined) request.setHeader('trailer', Object.keys(trailers).join(', '));
  if (body !== undefined && trailers !== undefined) request.write(body);
  if (trailers !== undefined) request.addTrailers(trailers);
  request.end(trailers === undefined ? body : undefined);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: response.statusCode!, body: text, fields: response.headers, trailers: response.trailers, interim };
}

async function overHttp2(session: ClientHttp2Session, { method = 'GET', path, body, trailers }: Sent): Promise<Answer> {
  const endStream = body === undefined && trailers === undefined;
  const stream = session.request(
    { ':method': method, ':path': path },
    { endStream, waitForTrailers: trailers !== undefined },
  );
  const interim: number[] = [];
  let received = {};
  stream.on('headers', (head) => interim.push(head[':status']!));
  stream.on('trailers', (given) => (received = { ...given }));
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (!endStream) stream.end(body);
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return {
    status: head[':status']!,
    body: Buffer.concat(chunks).toString(),
    fields: head,
    trailers: received,
    interim,
  };
}

for (const isFast of PATHS) {
  describe(`HTTP/2 endpoints, fastPath: ${isFast}`, () => {
    test('requests of HTTP/1.1 and HTTP/2 clients', async (t) => {
      const port = await serve(t, http2.createServer());
      const fairlead = await startFairlead(
        t,
        `fastPath: ${isFast}
listeners: [{ name: web, bind: 127.0.0.1:0 }, { name: tls, bind: 127.0.0.1:0, tls: { certificates: [${certificateFiles(t)}] } }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://127.0.0.1:${port}], protocol: http2, whenAllDown: fail, health: { heartbeat: false } } }
`,
      );
      const session = http2.connect(`https://127.0.0.1:${fairlead.plane.bound[1]!.port}`, {
        rejectUnauthorized: false,
      });
      endWithTest(t, session);
      const large = 'x'.repeat(300_000);
      for (const send of [(sent: Sent) => overHttp1(fairlead.port, sent), (sent: Sent) => overHttp2(session, sent)]) {
        const get = await send({ path: '/a?b' });
        assert.deepEqual([get.status, get.body, get.fields['x-path']], [200, '', '/a?b']);
        assert.equal(get.trailers['x-sum'], '0');
        const post = await send({ method: 'POST', path: '/post', body: large });
        assert.equal(post.body, large);
        assert.equal(post.trailers['x-sum'], String(large.length));
        const trailed = await send({ method: 'POST', path: '/t', body: 'abc', trailers: { 'x-checksum': '9' } });
        assert.deepEqual([trailed.body, trailed.fields['x-length']], ['abc', 'none']);
        assert.equal(trailed.trailers['x-checksum'], '9');
        assert.deepEqual((await send({ path: '/hints' })).interim, [103]);
        assert.equal((await send({ path: '/refused' })).status, 502);
        assert.equal((await send({ path: '/after' })).status, 200);
      }
      const early = await overHttp2(session, { method: 'POST', path: '/early', body: 'x' });
      assert.equal(early.status, 413);
    });
  });
}

test('protocol: auto follows what each endpoint chooses', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-http2-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tls = { key: ORIGIN_KEY, cert: ORIGIN_CERTIFICATE };
  const first = await serve(t, http2.createSecureServer(tls));
  const versions: string[] = [];
  const second = https.createServer(tls, (request, response) => {
    versions.push(request.httpVersion);
    request.resume();
    response.end('1');
  });
  second.listen(0, '127.0.0.1');
  await once(second, 'listening');
  t.after(() => second.close());
  const logged = join(folder, 'access.log');
  const fairlead = await startFairlead(
    t,
    `listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ upstream: app }]
upstreams:
  app:
    balance: round-robin
    endpoints: [https://127.0.0.1:${first}, https://127.0.0.1:${(second.address() as AddressInfo).port}]
    protocol: auto
    tls: { verify: false }
    health: { heartbeat: false }
accessLog: { output: '${logged}', format: { name: text, fields: [protocol, endpointProtocol, endpoint] } }
`,
  );
  const bodies = new Set<string>();
  for (let at = 0; at < 8; at += 1) {
    const answer = await overHttp1(fairlead.port, { method: 'POST', path: '/', body: '22' });
    assert.equal(answer.status, 200);
    bodies.add(answer.body);
  }
  assert.deepEqual([...bodies].toSorted(), ['1', '22']);
  assert.ok(versions.every((version) => version === '1.1'));
  const lines = (): string[] => readFileSync(logged, 'utf8').trim().split('\n');
  await eventually(() => lines().length === 8, 'the lines of the access log');
  const protocols = lines().map((line) => line.replace('127.0.0.1:', '').replace(String(first), 'first'));
  const expected = (line: string) =>
    line.endsWith('endpoint=first')
      ? 'protocol=http1 endpointProtocol=http2 endpoint=first'
      : `protocol=http1 endpointProtocol=http1 ${line.split(' ')[2]}`;
  assert.deepEqual(protocols, protocols.map(expected));
  assert.equal(new Set(protocols).size, 2);
});

test('an endpoint of HTTP/1.1 only is named in the log', async (t) => {
  const server = http.createServer((_request, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port, log } = await startFairlead(
    t,
    `listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://127.0.0.1:${(server.address() as AddressInfo).port}], protocol: http2, retry: { attempts: 0 }, whenAllDown: fail, health: { heartbeat: false } } }
`,
  );
  assert.equal((await overHttp1(port, { path: '/' })).status, 502);
  await eventually(() => log.some(({ text }) => text.includes('HTTP/1.1 only')), 'a log line about the protocol');
});
