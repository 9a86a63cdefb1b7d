// The TCP heartbeat against real sockets. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { tcp } from '../../../../health/checkers/tcp-check.ts';
import { refusingPort, resultOf, targetAt } from '../../../support/heartbeat-target.ts';

async function listening(t: TestContext, server: Server, where: { port?: number; path?: string }): Promise<Server> {
  server.listen(where.path === undefined ? { port: 0, host: '127.0.0.1' } : { path: where.path });
  await once(server, 'listening');
  t.after(() => void server.close());
  return server;
}

test('is good when the endpoint accepts, and closes without a byte', async (t) => {
  const received: number[] = [];
  const server = await listening(t, createServer({ allowHalfOpen: false }), {});
  const ended = once(server, 'connection').then(async ([socket]) => {
    socket.on('data', (bytes: Buffer) => received.push(bytes.length));
    await once(socket, 'close');
  });
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(await resultOf(tcp, targetAt({ port })), { kind: 'ok', cause: 'connected' });
  await ended;
  assert.deepEqual(received, []);
});

test('starts no TLS, even with an endpoint that supports it', async (t) => {
  const server = await listening(t, createServer(), {});
  const { port } = server.address() as AddressInfo;
  assert.equal((await resultOf(tcp, targetAt({ port, protocol: 'https' }))).kind, 'ok');
});

test('fails when the endpoint refuses', async (t) => {
  const found = await resultOf(tcp, targetAt({ port: refusingPort(t) }));
  assert.deepEqual(found, { kind: 'fail', cause: 'connection refused' });
});

test('takes an IPv6 address with or without brackets', async (t) => {
  const server = createServer().listen({ port: 0, host: '::1' });
  const [first] = await Promise.race([once(server, 'listening'), once(server, 'error')]);
  if (first !== undefined) return t.skip('this machine has no IPv6 loopback');
  t.after(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (const host of ['::1', '[::1]']) assert.equal((await resultOf(tcp, targetAt({ host, port }))).kind, 'ok');
});

test('goes to a Unix socket', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const socketPath = path.join(folder, 'endpoint.sock');
  await listening(t, createServer(), { path: socketPath });
  assert.equal((await resultOf(tcp, targetAt({ socketPath }))).kind, 'ok');
  const missing = await resultOf(tcp, targetAt({ socketPath: `${socketPath}.no` }));
  assert.deepEqual(missing, { kind: 'fail', cause: "the socket's path doesn't exist" });
});

test('a port that is none is a failure, not a crash', async () => {
  assert.equal((await resultOf(tcp, targetAt({ port: 70_000 }))).kind, 'fail');
});

test('reports nothing after a cancel', async (t) => {
  const server = await listening(t, createServer(), {});
  const { port } = server.address() as AddressInfo;
  const check = tcp.run(targetAt({ port }), () => assert.fail('it was cancelled'));
  assert.equal(check.phase(), 'connecting');
  check.cancel();
  assert.equal((await resultOf(tcp, targetAt({ port }))).kind, 'ok');
});
