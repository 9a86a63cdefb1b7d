// Streams and upgraded connections over a reload: those of endpoints that stay continue, the others end after a grace
// period; and revisions in use, as the admin API lists them. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

interface Times {
  readonly drain?: string;
  readonly hardStop?: string;
}

function config(apps: readonly AppServer[], { drain = '30s', hardStop = 'none' }: Times = {}): string {
  const upstream = (app: AppServer): string =>
    `  ${app.name}: { endpoints: ["http://${app.address}"], health: { heartbeat: false } }\n`;
  return `workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
${apps.map(({ name }) => `  - { match: { path: /${name} }, upstream: ${name} }\n`).join('')}
  - { match: { path: /ok }, respond: { status: 200, body: fine } }
upstreams:
${apps.map(upstream).join('')}
admin: { bind: "127.0.0.1:0" }
reload: { drain: ${drain}, hardStop: ${hardStop} }
`;
}

/** Streams for ever, and echoes on upgraded connections. */
function streaming(apps: readonly AppServer[]): void {
  for (const app of apps) {
    app.handler = (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const timer = setInterval(() => response.write('data: x\n\n'), 20);
      response.on('close', () => clearInterval(timer));
    };
    app.onUpgrade = (socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.on('data', (bytes: Buffer) => socket.write(bytes));
      socket.on('end', () => socket.end());
    };
  }
}

class Stream {
  bytes = 0;
  isOver = false;
  constructor(response: IncomingMessage) {
    response.on('data', (chunk: Buffer) => (this.bytes += chunk.length));
    response.on('close', () => (this.isOver = true));
    response.on('error', () => undefined);
  }
}

async function openStream(t: TestContext, { port }: RunningFairlead, path: string): Promise<Stream> {
  const request = http.get({ host: '127.0.0.1', port, path, agent: false });
  t.after(() => request.destroy());
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  return new Stream(response);
}

async function openTunnel(t: TestContext, { port }: RunningFairlead, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  assert.match(head.toString(), /^HTTP\/1\.1 101 /);
  return socket;
}

/** A reset is an end too. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

async function echo(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  assert.equal(bytes.toString(), text);
}

interface Generation {
  readonly generation: number;
  readonly exchanges: number | null;
}

async function generations(fairlead: RunningFairlead): Promise<Generation[]> {
  const answer = await fetch(`${fairlead.adminUrl}/api/v1/config`);
  const { generations } = (await answer.json()) as { generations: Generation[] };
  return generations.map(({ generation, exchanges }) => ({ generation, exchanges }));
}

async function reload(fairlead: RunningFairlead, yaml: string): Promise<void> {
  fairlead.rewrite(yaml);
  assert.equal((await fairlead.plane.reload()).ok, true);
}

describe('a reload that removes an endpoint', () => {
  test('ends its streams and tunnels after the grace period, and no others', async (t) => {
    const apps = await startApps(t, 2);
    streaming(apps);
    const fairlead = await startFairlead(t, config(apps, { drain: '300ms' }));
    const [kept, gone] = [await openStream(t, fairlead, '/a'), await openStream(t, fairlead, '/b')];
    const [keptTunnel, goneTunnel] = [await openTunnel(t, fairlead, '/a'), await openTunnel(t, fairlead, '/b')];
    await reload(fairlead, config(apps.slice(0, 1), { drain: '300ms' }));
    assert.equal(gone.isOver, false, 'it has some time');
    await echo(goneTunnel, 'still here');
    const goneEnded = closed(goneTunnel);
    await eventually(() => gone.isOver, 'the stream is cut');
    await goneEnded;
    const bytes = kept.bytes;
    await eventually(() => kept.bytes > bytes, 'the other one goes on');
    await echo(keptTunnel, 'hello');
    assert.equal(apps[1]!.openConnections, 0);
  });

  test('sends a WebSocket a close frame, between two frames', async (t) => {
    const apps = await startApps(t, 2);
    apps[1]!.onUpgrade = (socket) => {
      socket.on('error', () => undefined);
      socket.on('end', () => socket.end());
      const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
      socket.write(`${head}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n`);
      socket.write(Buffer.from([0x81, 0x02, 0x68, 0x69]));
    };
    const fairlead = await startFairlead(t, config(apps, { drain: '100ms' }));
    const socket = connect(fairlead.port, '127.0.0.1');
    t.after(() => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => (received = Buffer.concat([received, bytes])));
    const ended = once(socket, 'end');
    const fields = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    socket.write(`GET /b HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields}\r\n`);
    await eventually(() => received.toString('latin1').endsWith('\x81\x02hi'), 'it is open');
    await reload(fairlead, config(apps.slice(0, 1), { drain: '100ms' }));
    await ended;
    assert.equal(received.subarray(-8).toString('hex'), '81026869880203e9');
  });

  test('ends none where the endpoint is back within the grace period', async (t) => {
    const apps = await startApps(t, 2);
    streaming(apps);
    const times = { drain: '1s' };
    const fairlead = await startFairlead(t, config(apps, times));
    const tunnel = await openTunnel(t, fairlead, '/b');
    await reload(fairlead, config(apps.slice(0, 1), times));
    await reload(fairlead, config(apps, times));
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    await echo(tunnel, 'hello');
  });
});

describe('reload.hardStop', () => {
  test('ends every exchange that began before the reload', async (t) => {
    const apps = await startApps(t, 1);
    streaming(apps);
    const fairlead = await startFairlead(t, config(apps, { hardStop: '200ms' }));
    const stream = await openStream(t, fairlead, '/a');
    const tunnel = await openTunnel(t, fairlead, '/a');
    const isClosed = closed(tunnel);
    await reload(fairlead, config(apps, { hardStop: '200ms', drain: '31s' }));
    await isClosed;
    await eventually(() => stream.isOver, 'the stream is cut');
    await eventually(async () => (await generations(fairlead)).length === 1, 'nothing is left of it');
  });
});

describe('revisions', () => {
  test('are listed with their open exchanges, and removed when those have ended', async (t) => {
    const apps = await startApps(t, 1);
    streaming(apps);
    const fairlead = await startFairlead(t, config(apps));
    const first = await openTunnel(t, fairlead, '/a');
    await reload(fairlead, config(apps, { drain: '31s' }));
    await openTunnel(t, fairlead, '/a');
    await openTunnel(t, fairlead, '/a');
    await eventually(async () => {
      const [newest, oldest] = await generations(fairlead);
      return newest?.exchanges === 2 && oldest?.generation === 1 && oldest.exchanges === 1;
    }, 'two are open of the newest, one of the first');
    first.destroy();
    await eventually(async () => (await generations(fairlead)).length === 1, 'the first is forgotten');
  });

  test('of later reloads end no tunnel', async (t) => {
    const apps = await startApps(t, 1);
    streaming(apps);
    const fairlead = await startFairlead(t, config(apps));
    const tunnel = await openTunnel(t, fairlead, '/a');
    const stream = await openStream(t, fairlead, '/a');
    for (let seconds = 31; seconds < 51; seconds++) await reload(fairlead, config(apps, { drain: `${seconds}s` }));
    await echo(tunnel, 'hello');
    const bytes = stream.bytes;
    await eventually(() => stream.bytes > bytes, 'the stream goes on');
    const listed = await generations(fairlead);
    assert.equal(listed.at(-1)!.generation, 1);
    assert.equal(listed.at(-1)!.exchanges, 2);
    tunnel.destroy();
  });
});
