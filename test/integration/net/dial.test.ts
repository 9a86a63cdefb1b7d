// The dialler against real sockets. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { BoundSocket, connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { systemTimers } from '../../../core/timers.ts';
import { Dialler, type Dialling, type DialTarget, isSelfConnected } from '../../../net/dial.ts';
import type { EndpointError } from '../../../net/endpoint-error.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../support/origin-certificate.ts';

async function portOf(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const tlsServer = (): Server => createTlsServer({ cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY });

const TLS = { verify: false, ca: [], serverName: '', protocols: ['http/1.1'] };

function targetAt(port: number, parts: Partial<DialTarget> = {}): DialTarget {
  return { host: '127.0.0.1', port, socketPath: '', tls: null, timeoutMs: 10_000, ...parts };
}

interface Outcome {
  readonly error: EndpointError | null;
  readonly socket: Socket | null;
  readonly dialling: Dialling;
}

function dial(target: DialTarget, preface: Uint8Array | null = null): Promise<Outcome> {
  return new Promise((resolve) => {
    const dialling: Dialling = new Dialler(target, systemTimers).dial(
      (error, socket) => resolve({ error, socket, dialling }),
      undefined,
      preface,
    );
  });
}

describe('a dial', () => {
  test('connects over TCP, and over a Unix socket', async (t) => {
    const port = await portOf(
      t,
      createServer((socket) => socket.end()),
    );
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-dial-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const socketPath = path.join(folder, 'x.sock');
    const unix = createServer((socket) => socket.end()).listen(socketPath);
    await once(unix, 'listening');
    t.after(() => unix.close());
    for (const target of [targetAt(port), targetAt(0, { socketPath })]) {
      const { error, socket } = await dial(target);
      assert.equal(error, null);
      socket!.destroy();
    }
  });

  test('connects over TLS, and verifies the name where it is asked to', async (t) => {
    const port = await portOf(t, tlsServer());
    const { socket } = await dial(targetAt(port, { tls: TLS }));
    socket!.destroy();
    const verified = { ...TLS, verify: true, ca: [ORIGIN_CERTIFICATE] };
    const other = await dial(targetAt(port, { tls: { ...verified, serverName: 'other.test' } }));
    assert.deepEqual([other.error?.kind, other.socket], ['tls-failed', null]);
  });

  test('to a port that refuses is connect-refused', async (t) => {
    const held = new BoundSocket({ host: '127.0.0.1', port: 0 });
    t.after(() => held.close());
    const { error } = await dial(targetAt(held.address().port!));
    assert.equal(error?.kind, 'connect-refused');
  });

  test('to a port that is none fails', async () => {
    assert.equal((await dial(targetAt(70_000))).error?.kind, 'internal');
  });

  test('times out in the handshake with a server that never answers', async (t) => {
    const sockets: Socket[] = [];
    const port = await portOf(
      t,
      createServer((socket) => void sockets.push(socket)),
    );
    const { error, dialling } = await dial(targetAt(port, { tls: TLS, timeoutMs: 100 }));
    assert.deepEqual([error?.kind, dialling.phase], ['connect-timeout', 'in the TLS handshake']);
    for (const socket of sockets) socket.destroy();
  });

  test('that is aborted has no result', async (t) => {
    const port = await portOf(
      t,
      createServer((socket) => socket.on('error', () => undefined)),
    );
    const dialling = new Dialler(targetAt(port), systemTimers).dial(() => assert.fail('it was aborted'));
    assert.equal(dialling.phase, 'connecting');
    dialling.abort();
    (await dial(targetAt(port))).socket!.destroy();
  });
});

describe('a dial with a preface', () => {
  const PREFACE = Buffer.from('PROXY UNKNOWN\r\n');

  /** A server that records the bytes of each connection, and serves none. */
  async function recorder(t: TestContext) {
    const received: Buffer[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined).on('data', (bytes: Buffer) => received.push(bytes));
    });
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const port = await portOf(t, server);
    const bytes = (): Buffer => Buffer.concat(received);
    const until = async (isTrue: () => boolean): Promise<void> => {
      while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    return { port, sockets, bytes, until };
  }

  test('sends it first, without TLS and before a handshake', async (t) => {
    const { port, bytes, until } = await recorder(t);
    const { socket } = await dial(targetAt(port), PREFACE);
    socket!.end('GET');
    await until(() => bytes().toString() === 'PROXY UNKNOWN\r\nGET');
    const behind = await recorder(t);
    const result = await dial(targetAt(behind.port, { tls: TLS, timeoutMs: 200 }), PREFACE);
    assert.deepEqual([result.error?.kind, result.dialling.phase], ['connect-timeout', 'in the TLS handshake']);
    assert.equal(behind.bytes().toString('latin1', 0, PREFACE.length), PREFACE.toString());
    assert.equal(behind.bytes()[PREFACE.length], 22, 'a TLS handshake record');
    await behind.until(() => behind.sockets.every(({ destroyed }) => destroyed));
  });

  test('that is aborted in the handshake closes the connection', async (t) => {
    const { port, sockets, bytes, until } = await recorder(t);
    const fail = (): never => assert.fail('it was aborted');
    const dialling = new Dialler(targetAt(port, { tls: TLS }), systemTimers).dial(fail, undefined, PREFACE);
    await until(() => bytes().length > PREFACE.length);
    assert.equal(dialling.phase, 'in the TLS handshake');
    dialling.abort();
    await until(() => sockets.every(({ destroyed }) => destroyed));
  });

  test('fails where the handshake fails, or the endpoint closes in it', async (t) => {
    const closing = await portOf(
      t,
      createServer((socket) => socket.once('data', () => socket.destroy()).on('error', () => undefined)),
    );
    const plain = await portOf(
      t,
      createServer((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 400 \r\n\r\n')).on('error', () => undefined),
      ),
    );
    for (const port of [closing, plain]) {
      const { error, socket } = await dial(targetAt(port, { tls: TLS }), PREFACE);
      assert.deepEqual([error?.kind, socket], ['tls-failed', null]);
    }
  });

  test('resumes the TLS session of an earlier dial', async (t) => {
    const server = tlsServer();
    const front = createServer((raw) => {
      raw
        .on('error', () => undefined)
        .once('data', (bytes: Buffer) => {
          raw.pause();
          raw.unshift(bytes.subarray(PREFACE.length));
          server.emit('connection', raw);
        });
    });
    server.on('secureConnection', (socket) => socket.on('error', () => undefined).end('x'));
    const port = await portOf(t, front);
    const dialler = new Dialler(targetAt(port, { tls: TLS }), systemTimers);
    const reused: boolean[] = [];
    for (let count = 0; count < 2; count += 1) {
      const { promise, resolve } = Promise.withResolvers<Socket | null>();
      dialler.dial((_error, socket) => resolve(socket), undefined, PREFACE);
      const socket = (await promise)!;
      reused.push((socket as TLSSocket).isSessionReused());
      await once(socket.resume(), 'end');
      socket.destroy();
    }
    assert.deepEqual(reused, [false, true]);
  });
});

test('a connection that ended at itself is recognized', async (t) => {
  const handle = new BoundSocket({ host: '127.0.0.1', port: 0 });
  const socket = connect({ handle, host: '127.0.0.1', port: handle.address().port! });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  assert.ok(isSelfConnected(socket));
});
