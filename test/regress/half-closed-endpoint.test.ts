// An endpoint that ended its side of a tunnel ended the whole stream of an HTTP/2 client: what the client still sent was
// lost. Each side ends its own direction alone, on every pair of protocols. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { WORKER } from '../../core/memory/layout.ts';
import { eventually, type RunningFairlead, startFairlead } from '../support/fairlead.ts';
import { endWithTest } from '../support/http2-session.ts';
import { within } from '../support/raw-client.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** More than the windows and buffers between both ends, so that the open direction needs its credit. */
const LATE = Buffer.alloc(3_000_000, 'late bytes ');

type Protocol = 'http1' | 'http2';
const PROTOCOLS: readonly Protocol[] = ['http1', 'http2'];

/** The two ends of a tunnel. */
interface Ends {
  readonly client: Duplex;
  readonly endpoint: Duplex;
}

let fairlead: RunningFairlead;
let session: ClientHttp2Session;
const accepted: ((endpoint: Duplex) => void)[] = [];

const SERVERS: Readonly<Record<Protocol, () => Server>> = {
  http1: () =>
    http.createServer().on('upgrade', (_request, socket: Duplex) => {
      socket.write(SWITCH);
      accepted.shift()!(socket);
    }),
  http2: () =>
    http2.createServer({ settings: { enableConnectProtocol: true } }).on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 });
      accepted.shift()!(stream);
    }),
};

const CLIENTS: Readonly<Record<Protocol, (path: string) => Promise<Duplex>>> = {
  http1: async (path) => {
    const socket = connect({ port: fairlead.port, host: '127.0.0.1', allowHalfOpen: true });
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\n`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Version: 13\r\n${upgrade}\r\n`);
    await once(socket, 'readable');
    const head = socket.read().toString('latin1');
    assert.match(head, /^HTTP\/1\.1 101 [^]*\r\n\r\n$/);
    return socket;
  },
  http2: async (path) => {
    const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': path });
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
    assert.equal(head[':status'], 200);
    return stream;
  },
};

async function openTunnel(client: Protocol, endpoint: Protocol): Promise<Ends> {
  const atEndpoint = new Promise<Duplex>((resolve) => accepted.push(resolve));
  const ends = within(Promise.all([CLIENTS[client](`/${endpoint}`), atEndpoint]), 'an open tunnel');
  const [near, far] = await ends;
  for (const end of [near, far]) end.on('error', () => undefined);
  return { client: near, endpoint: far };
}

async function readToEnd(from: Duplex, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  from.on('data', (chunk: Buffer) => chunks.push(chunk));
  await within(once(from, 'end'), what);
  return Buffer.concat(chunks);
}

/** Ends `first` and then sends the other way, once the end has been received. */
async function endOneByOne(first: Duplex, second: Duplex): Promise<void> {
  // A server of node:http2 that ends a stream of which it reads nothing resets it.
  const received = readToEnd(first, 'the end of the second side');
  first.end('first');
  assert.equal((await readToEnd(second, 'the end of the first side')).toString(), 'first');
  second.end(LATE);
  assert.ok((await received).equals(LATE), 'bytes that follow a half-close arrive');
}

async function start(t: TestContext): Promise<void> {
  const upstreams = await Promise.all(
    PROTOCOLS.map(async (protocol) => {
      const server = SERVERS[protocol]();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}`;
      return `  ${protocol}: { endpoints: ["${url}"], protocol: ${protocol}, health: { heartbeat: false } }`;
    }),
  );
  fairlead = await startFairlead(
    t,
    `workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
routes: [{ match: { path: /http1 }, upstream: http1 }, { match: { path: /http2 }, upstream: http2 }]
upstreams:
${upstreams.join('\n')}
`,
  );
  session = http2.connect(fairlead.url);
  endWithTest(t, session);
  await once(session, 'remoteSettings');
}

test('a tunnel of which one side has ended', async (t) => {
  await start(t);
  for (const client of PROTOCOLS) {
    for (const endpoint of PROTOCOLS) {
      const pair = `a client of ${client} and an endpoint of ${endpoint}`;
      await t.test(`the endpoint's: ${pair}`, async () => {
        const ends = await openTunnel(client, endpoint);
        await endOneByOne(ends.endpoint, ends.client);
      });
      await t.test(`the client's: ${pair}`, async () => {
        const ends = await openTunnel(client, endpoint);
        await endOneByOne(ends.client, ends.endpoint);
      });
      await t.test(`the endpoint's, and the client resets: ${pair}`, async () => {
        const ends = await openTunnel(client, endpoint);
        const gone = once(ends.endpoint, 'close');
        ends.endpoint.end();
        await readToEnd(ends.client, 'the end of the endpoint');
        ends.client.destroy(new Error('reset'));
        await within(gone, 'the end of the tunnel at the endpoint');
      });
    }
  }
  await t.test('leaves nothing behind', () => {
    const { region } = fairlead.plane;
    const open = (): number => region.words[region.workerWord(0) + WORKER.openExchanges.index]!;
    return eventually(() => open() === 0, 'all tunnels have been recorded');
  });
});
