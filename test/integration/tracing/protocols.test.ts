// Traces over every pair of protocols: requests and WebSockets, with and without TLS, over HTTP/1.1 and HTTP/2 on either side,
// on both paths. Their exemplars are in the metrics. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { eventually, PATHS, startFairlead } from '../../support/fairlead.ts';
import { endWithTest } from '../../support/http2-session.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../support/origin-certificate.ts';
import { type ReceivedSpan, startReceiver } from '../../support/otlp-receiver.ts';

const PARENT = '00000000000000cc';
const SPAN = { server: 2, client: 3 };
const PROTOCOLS = ['http1', 'http2'] as const;
const SCHEMES = ['http', 'https'] as const;
const ACCEPT = 'dGhlIHNhbXBsZSBub25jZQ==';

type Protocol = (typeof PROTOCOLS)[number];

interface Case {
  readonly scheme: (typeof SCHEMES)[number];
  readonly client: Protocol;
  readonly endpoint: Protocol;
  readonly isTunnel: boolean;
  readonly path: string;
  readonly traceId: string;
}

const CASES: readonly Case[] = SCHEMES.flatMap((scheme) =>
  PROTOCOLS.flatMap((client) =>
    PROTOCOLS.flatMap((endpoint) =>
      [false, true].map((isTunnel) => ({
        scheme,
        client,
        endpoint,
        isTunnel,
        path: `/${endpoint}/${isTunnel ? 'tunnel' : 'get'}`,
      })),
    ),
  ),
).map((one, index) => ({ ...one, traceId: (index + 1).toString(16).padStart(32, 'a') }));

const nameOf = ({ scheme, client, endpoint, isTunnel }: Case): string =>
  `${isTunnel ? 'WebSocket' : 'GET'} over ${scheme}, ${client} to ${endpoint}`;

/** Endpoints that answer, and take WebSockets, which they end. Returns ports and the `traceparent` of each trace. */
async function startEndpoints(t: TestContext) {
  const sent = new Map<string, string>();
  const note = (headers: http.IncomingHttpHeaders): void => {
    const traceparent = headers['traceparent'] as string;
    sent.set(traceparent.split('-')[1]!, traceparent);
  };
  const http1 = http.createServer((request, response) => {
    note(request.headers);
    response.end('ok');
  });
  http1.on('upgrade', (request: http.IncomingMessage, socket: Duplex) => {
    note(request.headers);
    const fields = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
    socket.end(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
  });
  const overHttp2 = http2.createServer({ settings: { enableConnectProtocol: true } });
  overHttp2.on('stream', (stream: ServerHttp2Stream, headers) => {
    note(headers);
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200 });
    stream.end(headers[':protocol'] === undefined ? 'ok' : '');
  });
  const ports = await Promise.all([http1, overHttp2].map((server) => portOf(t, server)));
  return { sent, ports };
}

async function portOf(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Sends the request of a case. Returns the status that the client gets. */
async function send(one: Case, port: number, session: ClientHttp2Session): Promise<number> {
  const traceparent = `00-${one.traceId}-${PARENT}-01`;
  if (one.client === 'http2') {
    const connect = { ':method': 'CONNECT', ':protocol': 'websocket', 'sec-websocket-version': '13' };
    const fields = one.isTunnel ? connect : { ':method': 'GET' };
    const stream = session.request({ ...fields, ':path': one.path, traceparent }, { endStream: !one.isTunnel });
    const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
    stream.end().resume();
    await once(stream, 'close');
    return head[':status']!;
  }
  const upgrade = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': ACCEPT,
  };
  const headers = { traceparent, ...(one.isTunnel ? upgrade : {}) };
  const options = { port, host: '127.0.0.1', path: one.path, agent: false, rejectUnauthorized: false, headers };
  const request = (one.scheme === 'https' ? https : http).request(options).end();
  const [response, socket] = (await once(request, one.isTunnel ? 'upgrade' : 'response')) as [
    http.IncomingMessage,
    Duplex,
  ];
  (one.isTunnel ? socket : response).resume();
  if (one.isTunnel) socket.end();
  await once(one.isTunnel ? socket : response, one.isTunnel ? 'close' : 'end');
  return response.statusCode!;
}

function checkTrace(one: Case, spans: readonly ReceivedSpan[], sent: string | undefined, status: number): void {
  const name = nameOf(one);
  const [server, attempt] = [SPAN.server, SPAN.client].map((kind) => spans.filter((span) => span.kind === kind));
  assert.deepEqual([server!.length, attempt!.length], [1, 1], name);
  const [outer, inner] = [server![0]!, attempt![0]!];
  assert.deepEqual([outer.parentId, inner.parentId], [PARENT, outer.spanId], name);
  assert.equal(sent, `00-${one.traceId}-${inner.spanId}-01`, name);
  assert.ok(outer.startNs <= inner.startNs + 1000n && inner.endNs <= outer.endNs + 1000n, name);
  const version = (protocol: Protocol): string => (protocol === 'http2' ? '2' : '1.1');
  assert.equal(outer.attributes['network.protocol.version'], version(one.client), name);
  assert.equal(inner.attributes['network.protocol.version'], version(one.endpoint), name);
  assert.equal(outer.attributes['url.scheme'], one.scheme, name);
  assert.equal(outer.attributes['tls.protocol.version'], one.scheme === 'https' ? '1.3' : undefined, name);
  // A WebSocket is recorded as 101 on every protocol, in the access log too.
  assert.equal(outer.attributes['http.response.status_code'], one.isTunnel ? 101 : status, name);
  assert.deepEqual([outer.isError, inner.isError], [false, false], name);
  for (const span of spans) assert.ok([outer, inner, ...spans.filter(({ kind }) => kind === 1)].includes(span), name);
}

for (const fastPath of PATHS) {
  test(`a trace arrives whole over every pair of protocols, fastPath: ${fastPath}`, async (t) => {
    const receiver = await startReceiver(t);
    const { sent, ports } = await startEndpoints(t);
    const [http1, overHttp2] = ports;
    const yaml = `
workers: 1
fastPath: ${fastPath}
tracing: { endpoint: "${receiver.url}", sampling: 0% }
listeners:
  - { name: http, bind: "127.0.0.1:0", http2: true, trustedProxies: [127.0.0.1] }
  - { name: https, bind: "127.0.0.1:0", trustedProxies: [127.0.0.1], tls: { certificates: [{ cert: a.pem, key: a.key }] } }
routes:
  - { match: { path: /http1/ }, upstream: http1 }
  - { match: { path: /http2/ }, upstream: http2 }
upstreams:
  http1: { endpoints: ["http://127.0.0.1:${http1}"], health: { heartbeat: false } }
  http2: { endpoints: ["http://127.0.0.1:${overHttp2}"], protocol: http2, health: { heartbeat: false } }
admin: { bind: "127.0.0.1:0" }
`;
    const fairlead = await startFairlead(t, yaml, { 'a.pem': ORIGIN_CERTIFICATE, 'a.key': ORIGIN_KEY });
    const portFor = (scheme: string): number => fairlead.plane.bound.find(({ name }) => name === scheme)!.port;
    const sessions = SCHEMES.map((scheme) =>
      http2.connect(`${scheme}://127.0.0.1:${portFor(scheme)}`, { rejectUnauthorized: false }),
    );
    for (const session of sessions) {
      endWithTest(t, session);
      await once(session, 'remoteSettings');
    }
    const statuses = new Map<string, number>();
    // node:http2 serves no WebSockets over HTTP/2 (docs/wire-differences.md).
    const cases = CASES.filter(({ client, isTunnel }) => fastPath || client === 'http1' || !isTunnel);
    for (const one of cases) {
      const status = await send(one, portFor(one.scheme), sessions[SCHEMES.indexOf(one.scheme)]!);
      statuses.set(one.traceId, status);
    }
    const wholes = (): number => receiver.spans.filter(({ kind }) => kind === SPAN.server).length;
    await eventually(() => wholes() === cases.length, 'a server span of each request');
    for (const one of cases) {
      const spans = receiver.spans.filter(({ traceId }) => traceId === one.traceId);
      const status = statuses.get(one.traceId)!;
      assert.equal(status, one.isTunnel && one.client === 'http1' ? 101 : 200, nameOf(one));
      checkTrace(one, spans, sent.get(one.traceId), status);
    }
    assert.deepEqual(receiver.faults, []);
    await checkExemplars(fairlead.adminUrl);
  });
}

/** Exemplars are traces of requests: the duration of a tunnel is no latency. */
async function checkExemplars(adminUrl: string): Promise<void> {
  const metrics = await fetch(`${adminUrl}/metrics?scope=upstream`, {
    headers: { accept: 'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.3' },
  });
  assert.equal(metrics.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  const lines = (await metrics.text()).split('\n').filter((line) => line.includes(' # {'));
  const named = lines.map(
    (line) => /_duration_seconds_bucket\{.*upstream="(\w+)".* # \{trace_id="(\w+)"\}/.exec(line)!,
  );
  assert.ok(named.length >= 2, lines.join('\n'));
  for (const [line, upstream, traceId] of named) {
    const found = CASES.find((one) => one.traceId === traceId);
    assert.ok(found !== undefined && !found.isTunnel && found.endpoint === upstream, line);
  }
  const plain = await fetch(`${adminUrl}/metrics`, { headers: { accept: '*/*' } });
  assert.match(plain.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.doesNotMatch(await plain.text(), / # \{/);
}
