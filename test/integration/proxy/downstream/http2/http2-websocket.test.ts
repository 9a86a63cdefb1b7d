// WebSocket over a stream of HTTP/2 (RFC 8441), to endpoints of HTTP/1.1. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { resetSocket } from '../../../../../net/reset-socket.ts';
import { startFairlead } from '../../../../support/fairlead.ts';
import { within } from '../../../../support/raw-client.ts';
import { endWithTest } from '../../../../support/http2-session.ts';

type Upgrade = (request: http.IncomingMessage, socket: Duplex) => void;

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

/** By path. */
const ENDPOINT: Readonly<Record<string, Upgrade>> = {
  '/echo': (request, socket) => {
    const key = request.headers['sec-websocket-key'];
    const protocol = request.headers['sec-websocket-protocol'];
    socket.write(`${SWITCH}Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: ${protocol}\r\nX-Key: ${key}\r\n\r\n`);
    socket.pipe(socket);
  },
  '/first': (_request, socket) => socket.end(`${SWITCH}\r\nbytes at once`),
  '/refuse': (_request, socket) => {
    socket.end(
      'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\nX-Why: no\r\n\r\n2\r\nno\r\n1\r\n!\r\n0\r\n\r\n',
    );
  },
  '/reset': (_request, socket) => resetSocket(socket as Socket),
  '/cut': (_request, socket) => {
    socket.write(`${SWITCH}\r\na part`);
    setTimeout(() => socket.destroy(), 30);
  },
};

let session: ClientHttp2Session;
const closedUpgrades: string[] = [];

function open(path: string, protocol = 'websocket'): ClientHttp2Stream {
  const fields = { 'sec-websocket-version': '13', 'sec-websocket-protocol': 'chat', origin: 'http://a' };
  const stream = session.request({ ':method': 'CONNECT', ':protocol': protocol, ':path': path, ...fields });
  stream.on('error', () => undefined);
  stream.on('end', () => stream.end());
  return stream;
}

async function headOf(stream: ClientHttp2Stream): Promise<Record<string, unknown>> {
  const [head] = await within(once(stream, 'response'), 'a response');
  return head as Record<string, unknown>;
}

async function textOf(stream: ClientHttp2Stream, length = Number.POSITIVE_INFINITY): Promise<string> {
  const read = async (): Promise<string> => {
    let text = '';
    stream.on('data', (data: Buffer) => (text += data.toString('latin1')));
    while (text.length < length && !stream.closed) await Promise.race([once(stream, 'data'), once(stream, 'close')]);
    return text;
  };
  return within(read(), 'bytes');
}

const CASES: Readonly<Record<string, () => void | Promise<void>>> = {
  'is advertised': () => assert.equal(session.remoteSettings.enableConnectProtocol, true),

  'bytes flow both ways, and the handshake of HTTP/1.1 is ours': async () => {
    const stream = open('/echo');
    const head = await headOf(stream);
    assert.equal(head[':status'], 200);
    assert.equal(head['sec-websocket-protocol'], 'chat');
    assert.equal(Buffer.from(String(head['x-key']), 'base64').length, 16);
    assert.deepEqual(
      [head['upgrade'], head['connection'], head['sec-websocket-accept']],
      [undefined, undefined, undefined],
    );
    stream.write('hello');
    assert.equal(await textOf(stream, 5), 'hello');
    const big = Buffer.alloc(3_000_000, 'abcdefg');
    let received = 0;
    stream.removeAllListeners('data');
    stream.on('data', (data: Buffer) => (received += data.length));
    stream.write(big);
    while (received < big.length) await within(once(stream, 'data'), 'echoed bytes');
    stream.end();
    await within(once(stream, 'close'), 'the end');
    assert.equal(stream.rstCode, 0);
  },

  'bytes that follow 101 at once, and the end of the endpoint, reach the client': async () => {
    const stream = open('/first');
    assert.equal((await headOf(stream))[':status'], 200);
    assert.equal(await textOf(stream), 'bytes at once');
  },

  'a refusal is an ordinary response': async () => {
    const stream = open('/refuse');
    const head = await headOf(stream);
    assert.deepEqual([head[':status'], head['x-why'], head['transfer-encoding']], [403, 'no', undefined]);
    assert.equal(await textOf(stream), 'no!');
  },

  'an endpoint that fails before it answers is 502': async () => {
    assert.equal((await headOf(open('/reset')))[':status'], 502);
  },

  'a client that resets its stream ends the connection to the endpoint': async () => {
    const before = closedUpgrades.length;
    const stream = open('/echo');
    await headOf(stream);
    stream.close(8);
    while (closedUpgrades.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  },

  'an endpoint that dies ends the stream': async () => {
    const stream = open('/cut');
    await headOf(stream);
    assert.equal(await textOf(stream), 'a part');
  },

  'another protocol is 501, and the connection goes on': async () => {
    assert.equal((await headOf(open('/echo', 'connect-udp')))[':status'], 501);
    const stream = session.request({ ':path': '/' });
    assert.equal((await headOf(stream))[':status'], 200);
    assert.equal(await textOf(stream), 'plain');
  },
};

async function startEndpoint(t: TestContext): Promise<number> {
  const endpoint = http.createServer((_request, response) => response.end('plain'));
  endpoint.on('upgrade', (request, socket) => {
    socket.on('error', () => undefined);
    socket.on('close', () => closedUpgrades.push(request.url!));
    ENDPOINT[request.url!]!(request, socket);
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  t.after(() => {
    endpoint.close();
    endpoint.closeAllConnections();
  });
  return (endpoint.address() as AddressInfo).port;
}

test('WebSocket over HTTP/2', async (t) => {
  const port = await startEndpoint(t);
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://127.0.0.1:${port}"], health: { heartbeat: false }, retry: { attempts: 1 } } }
`,
  );
  session = connect(`http://127.0.0.1:${fairlead.port}`);
  session.on('error', () => undefined);
  endWithTest(t, session);
  await within(once(session, 'remoteSettings'), 'settings');
  for (const [name, run] of Object.entries(CASES)) await t.test(name, run);
});
