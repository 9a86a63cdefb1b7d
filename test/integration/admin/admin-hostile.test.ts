// The admin API and those who mean it no good; and where it may be bound. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { AdminServer } from '../../../admin/api/admin-server.ts';
import { adminAt } from '../../unit/admin/fake-context.ts';
import { AskedServer, errorCode, STATE } from './asked-server.ts';
import { resetSocket } from '../../../net/reset-socket.ts';

let asked: AskedServer;

beforeEach(async () => {
  asked = await AskedServer.start();
});
afterEach(() => asked.server.close());

describe('a page of another site', () => {
  test('whose name was made to point here is refused (DNS rebinding)', async () => {
    for (const target of ['/metrics', '/healthz', '/api/v1/status', '/nothing']) {
      const answer = await asked.ask('GET', target, { headers: { host: 'evil.example' } });
      assert.deepEqual([answer.status, errorCode(answer)], [403, 'host-not-allowed']);
    }
  });

  test('may not change anything, and is not told that it could ask', async () => {
    const origin = { origin: 'http://evil.example' };
    assert.equal((await asked.post(STATE, { admin: 'drain' }, origin)).status, 403);
    assert.equal((await asked.post(STATE, { admin: 'drain' }, { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal((await asked.post(STATE, { admin: 'drain' }, { 'content-type': 'text/plain' })).status, 415);
    const preflight = await asked.ask('OPTIONS', STATE, {
      headers: { ...origin, 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.status, 403);
    assert.equal(preflight.headers['access-control-allow-origin'], undefined);
    assert.equal(asked.admin, 'ready');
  });

  test('is distinguished from the dashboard', async () => {
    const ours = {
      host: `localhost:${asked.port}`,
      origin: `http://localhost:${asked.port}`,
      'sec-fetch-site': 'same-origin',
    };
    assert.equal((await asked.post(STATE, { admin: 'drain' }, ours)).status, 200);
  });
});

describe('a hostile client', () => {
  test('that sends its head or its body byte by byte keeps nobody else waiting', async () => {
    const slow = Array.from({ length: 50 }, (_, i) => {
      const socket = net.connect(asked.port, '127.0.0.1');
      socket.on('error', () => undefined);
      const head = `POST ${STATE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
      socket.write(i % 2 === 0 ? head : `${head}Content-Length: 100\r\n\r\n{`);
      return socket;
    });
    await Promise.all(slow.map((socket) => once(socket, 'connect')));
    assert.equal((await asked.ask('GET', '/healthz')).status, 200);
    assert.equal((await asked.post(STATE, { admin: 'drain' })).status, 200);
    for (const socket of slow) socket.destroy();
  });

  const malformed = [
    'GARBAGE\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  ];
  for (const bytes of malformed) {
    test(`that sends ${JSON.stringify(bytes.slice(0, 24))} is refused and harms nobody`, async () => {
      const socket = net.connect(asked.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(bytes);
      let text = '';
      socket.on('data', (chunk) => (text += String(chunk)));
      await closed(socket);
      assert.match(text, /^HTTP\/1\.1 4\d\d /);
      assert.equal((await asked.ask('GET', '/healthz')).status, 200);
    });
  }

  test('that sends a body without end is cut off', async () => {
    const socket = net.connect(asked.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(`POST ${STATE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`);
    socket.write('Content-Length: 1000000000\r\n\r\n');
    const piece = Buffer.alloc(65_536, 'x');
    const goOn = (): void => {
      while (socket.writable && socket.write(piece));
    };
    socket.on('drain', goOn);
    goOn();
    await closed(socket);
    assert.ok(socket.bytesWritten < 100_000_000);
    assert.equal((await asked.ask('GET', '/healthz')).status, 200);
  });

  test('that goes away in the middle of its body leaves no trace', async () => {
    const socket = net.connect(asked.port, '127.0.0.1');
    socket.write(
      `POST ${STATE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    );
    await once(socket, 'connect');
    resetSocket(socket);
    await closed(socket);
    assert.equal((await asked.ask('GET', '/healthz')).status, 200);
    assert.deepEqual(asked.context.errors, []);
  });
});

describe('binding', () => {
  test('is refused where other machines could reach it', async () => {
    const other = new AdminServer(asked.context);
    for (const host of ['0.0.0.0', '::', '']) {
      await assert.rejects(
        other.start(adminAt({ kind: 'tcp', host, port: 0 })),
        /other machines could change this one/,
      );
    }
    await other.close();
  });

  test('says which address is taken', async () => {
    const other = new AdminServer(asked.context);
    await assert.rejects(other.start(adminAt({ kind: 'tcp', host: '127.0.0.1', port: asked.port })), {
      name: 'AdminBindError',
      message: new RegExp(`can't be bound to 127\\.0\\.0\\.1:${asked.port}: .*EADDRINUSE`),
    });
    await other.close();
  });

  test('to a Unix socket lets owner and group in, under any Host, and takes over the file of a dead process', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-admin-'));
    const socketPath = path.join(folder, 'admin.sock');
    await leaveSocketFile(socketPath);
    const first = new AdminServer(asked.context);
    assert.equal(await first.start(adminAt({ kind: 'unix', path: socketPath })), socketPath);
    assert.equal(fs.statSync(socketPath).mode & 0o777, 0o660);
    const answer = await asked.ask('GET', '/healthz', { socketPath, headers: { host: 'whatever' } });
    assert.equal(answer.status, 200);
    const second = new AdminServer(asked.context);
    await assert.rejects(second.start(adminAt({ kind: 'unix', path: socketPath })), /EADDRINUSE/);
    assert.equal((await asked.ask('GET', '/healthz', { socketPath })).status, 200);
    await first.close();
    await second.close();
    fs.rmSync(folder, { recursive: true });
  });

  test('ends with every connection when it is closed', async () => {
    const socket = net.connect(asked.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    const ended = closed(socket);
    await asked.server.close();
    await ended;
    assert.equal(asked.context.clock.pendingCount, 0);
    asked = await AskedServer.start();
  });
});

/** Waits for the end, however the connection ends. */
function closed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A socket file without a listener, as a killed process leaves it. */
async function leaveSocketFile(socketPath: string): Promise<void> {
  const listener = net.createServer().listen(`${socketPath}.live`);
  await once(listener, 'listening');
  fs.renameSync(`${socketPath}.live`, socketPath);
  listener.close();
  await once(listener, 'close');
  assert.ok(fs.existsSync(socketPath));
}
