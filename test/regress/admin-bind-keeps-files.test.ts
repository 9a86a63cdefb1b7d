// `admin.bind: unix:PATH` deleted a regular file at PATH: connecting to it is refused as with a stale socket. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { bindServer } from '../../admin/api/admin-bind.ts';

function pathIn(t: TestContext, name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-admin-bind-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, name);
}

test('a regular file at the path of the admin socket stays, and the bind is refused', async (t) => {
  const file = pathIn(t, 'precious');
  writeFileSync(file, 'data');
  const server = createServer();
  t.after(() => server.close());
  const bound = bindServer(server, { kind: 'unix', path: file }, { isProtected: false });
  await assert.rejects(bound, /the admin API can't be bound to unix:.*EADDRINUSE/);
  assert.equal(readFileSync(file, 'utf8'), 'data');
});

test('a stale socket at the path is replaced', async (t) => {
  const file = pathIn(t, 'admin.sock');
  const listen = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['--eval', listen]);
  assert.ok(existsSync(file));
  const server = createServer();
  await bindServer(server, { kind: 'unix', path: file }, { isProtected: false });
  assert.equal(server.address(), file);
  await new Promise((resolve) => server.close(resolve));
});
