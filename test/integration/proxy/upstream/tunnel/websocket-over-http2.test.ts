// WebSockets of ws and of Node's client through Fairlead, over every pair of protocols (RFC 8441). Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { eventually, type RunningFairlead, startFairlead } from '../../../../support/fairlead.ts';
import { endWithTest } from '../../../../support/http2-session.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../../support/origin-certificate.ts';
import { within } from '../../../../support/raw-client.ts';
import { echo, webSocketOver, ws, type WsSocket } from '../../../../support/ws-library.ts';

const TLS = { cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY };
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 200_000];

function acceptStream(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  stream.on('error', () => undefined);
  if (headers[':protocol'] !== 'websocket') return stream.respond({ ':status': 400 }, { endStream: true });
  stream.respond({ ':status': 200 });
  echo(webSocketOver(stream, 'server'));
}

function acceptUpgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
  new ws.WebSocketServer({ noServer: true }).handleUpgrade(request, socket, head, echo);
}

/** Endpoints, by the upstream that they belong to: [URL scheme, protocol of the upstream, protocol that a tunnel uses]. */
const UPSTREAMS = {
  http1: { scheme: 'http', protocol: 'http1', used: 'http1', make: () => http.createServer() },
  http2: {
    scheme: 'http',
    protocol: 'http2',
    used: 'http2',
    make: () => http2.createServer({ settings: { enableConnectProtocol: true } }),
  },
  'auto-http2': {
    scheme: 'https',
    protocol: 'auto',
    used: 'http2',
    make: () => http2.createSecureServer({ ...TLS, settings: { enableConnectProtocol: true } }),
  },
  'auto-not-offered': {
    scheme: 'https',
    protocol: 'auto',
    used: 'http1',
    make: () => http2.createSecureServer({ ...TLS, allowHTTP1: true }),
  },
  'auto-http1': { scheme: 'https', protocol: 'auto', used: 'http1', make: () => https.createServer(TLS) },
  'not-offered': { scheme: 'http', protocol: 'http2', used: '', make: () => http2.createServer() },
} as const;

type UpstreamName = keyof typeof UPSTREAMS;

const servers: Server[] = [];
let fairlead: RunningFairlead;
let session: ClientHttp2Session;
let logFile = '';

async function listen(name: UpstreamName): Promise<string> {
  const { scheme, protocol, make } = UPSTREAMS[name];
  const server: Server = make();
  server.on('stream', acceptStream);
  server.on('upgrade', acceptUpgrade);
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return `  ${name}: { endpoints: ["${url}"], protocol: ${protocol}, tls: { verify: false }, health: { heartbeat: false } }`;
}

async function start(t: TestContext): Promise<void> {
  const names = Object.keys(UPSTREAMS) as UpstreamName[];
  const upstreams = await Promise.all(names.map(listen));
  const routes = names.map((name) => `  - { match: { path: /${name} }, upstream: ${name} }`);
  fairlead = await startFairlead(
    t,
    `workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
routes:
${routes.join('\n')}
upstreams:
${upstreams.join('\n')}
accessLog: { output: access.log, format: { name: text, fields: [path, status, protocol, endpointProtocol, termination] } }
`,
  );
  logFile = `${fairlead.folder}/access.log`;
  session = http2.connect(fairlead.url);
  endWithTest(t, session);
  t.after(() => {
    for (const server of servers) {
      server.close();
      if (server instanceof http.Server) server.closeAllConnections();
    }
  });
  await once(session, 'remoteSettings');
}

async function overHttp1(path: string): Promise<WsSocket> {
  const socket = new ws.WebSocket(`ws://127.0.0.1:${fairlead.port}${path}`);
  await within(once(socket as never, 'open'), 'the WebSocket opens');
  return socket;
}

async function overHttp2(path: string): Promise<WsSocket> {
  const fields = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': path, 'sec-websocket-version': '13' };
  const stream = session.request(fields);
  const [head] = (await within(once(stream, 'response'), 'a response')) as [Record<string, unknown>];
  assert.equal(head[':status'], 200);
  return webSocketOver(stream, 'client');
}

const CLIENTS = { http1: overHttp1, http2: overHttp2 };

async function converse(socket: WsSocket): Promise<void> {
  for (const size of SIZES) {
    const text = 'é'.repeat(size / 2);
    const received = once(socket as never, 'message');
    socket.send(text);
    const [message] = (await within(received, `the echo of ${size} bytes`)) as [Buffer];
    assert.ok(message.toString() === text, `echo of ${size} bytes`);
  }
  const pong = once(socket as never, 'pong');
  socket.ping();
  await within(pong, 'a pong');
  const closed = once(socket as never, 'close');
  socket.close(1000, 'bye');
  const [code] = (await within(closed, 'the close')) as [number];
  assert.equal(code, 1000);
}

async function logged(line: string): Promise<void> {
  await eventually(() => readFileSync(logFile, 'utf8').includes(`${line}\n`), `the access log has ${line}`);
}

async function answerTo(path: string): Promise<number> {
  const socket = new ws.WebSocket(`ws://127.0.0.1:${fairlead.port}${path}`);
  socket.on('error', () => undefined);
  const answered = once(socket as never, 'unexpected-response');
  const [, response] = (await within(answered, 'a response')) as [unknown, http.IncomingMessage];
  response.destroy();
  return response.statusCode!;
}

const CASES: Readonly<Record<string, () => Promise<void>>> = {
  'an endpoint whose HTTP/2 has no extended CONNECT is 501 to clients of HTTP/1.1, with the cause in the log':
    async () => {
      assert.equal(await answerTo('/not-offered/http1'), 501);
      await logged('path=/not-offered/http1 status=501 protocol=http1 endpointProtocol=http2 termination=badRequest');
      const cause = /cannot take an upgrade: no extended CONNECT \(RFC 8441\)/;
      await eventually(() => fairlead.log.some(({ text }) => cause.test(text)), 'the process log has the cause');
    },

  'an endpoint whose HTTP/2 has no extended CONNECT is 501 to clients of HTTP/2': async () => {
    const fields = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/not-offered/http2' };
    const stream = session.request(fields);
    const [head] = (await within(once(stream, 'response'), 'a response')) as [Record<string, unknown>];
    assert.equal(head[':status'], 501);
    stream.close();
  },

  "Node's own client talks to an HTTP/2 endpoint": async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${fairlead.port}/http2/node`);
    await within(once(socket, 'open'), 'the WebSocket opens');
    const received = once(socket, 'message');
    socket.send('hello');
    const [event] = (await within(received, 'the echo')) as [MessageEvent];
    assert.equal(event.data, 'hello');
    const closed = once(socket, 'close');
    socket.close(1000);
    const [{ code, wasClean }] = (await within(closed, 'the close')) as [CloseEvent];
    assert.deepEqual([code, wasClean], [1000, true]);
  },
};

test('WebSockets over every pair of protocols', async (t) => {
  await start(t);
  for (const [name, { used }] of Object.entries(UPSTREAMS)) {
    for (const client of ['http1', 'http2'] as const) {
      if (used === '') continue;
      await t.test(`a client of ${client} to upstream ${name} over ${used}`, async () => {
        const path = `/${name}/${client}`;
        await converse(await CLIENTS[client](path));
        await logged(`path=${path} status=101 protocol=${client} endpointProtocol=${used} termination=ok`);
      });
    }
  }
  for (const [name, run] of Object.entries(CASES)) await t.test(name, run);
});
