// A deleted socket file of the admin API stayed missing after a reload: the address is bound again. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { AdminServer } from '../../admin/api/admin-server.ts';
import { adminAt, FakeContext } from '../unit/admin/fake-context.ts';

async function serverAt(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-admin-socket-'));
  const admin = adminAt({ kind: 'unix', path: path.join(folder, 'admin.sock') });
  const server = new AdminServer(new FakeContext());
  t.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, admin, server, socketPath: await server.start(admin) };
}

function statusAt(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: '/healthz', agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
  });
}

test('a reload binds the admin socket again whose file was deleted', async (t) => {
  const { admin, server, socketPath } = await serverAt(t);
  rmSync(socketPath);
  assert.equal(await server.move(admin), socketPath);
  assert.equal(await statusAt(socketPath), 200);
});

test('a reload is refused while the directory of the admin socket is missing, and a later one binds it', async (t) => {
  const { folder, admin, server, socketPath } = await serverAt(t);
  rmSync(folder, { recursive: true });
  await assert.rejects(server.move(admin), { name: 'AdminBindError', message: /can't be bound to unix:.*admin\.sock/ });
  assert.equal(existsSync(socketPath), false);
  mkdirSync(folder);
  await server.move(admin);
  assert.equal(await statusAt(socketPath), 200);
});
