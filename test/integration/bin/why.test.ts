// `fairlead why` as a process, against admin APIs and what is none. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { AdminServer } from '../../../admin/api/admin-server.ts';
import type { BindAddress } from '../../../core/snapshot/listener.ts';
import { adminAt as rulesAt, FakeContext } from '../../unit/admin/fake-context.ts';
import { type CommandOutcome, runCommand } from '../../support/fairlead-process.ts';
import { refusingPort } from '../../support/heartbeat-target.ts';

function why(...args: readonly string[]): Promise<CommandOutcome> {
  return runCommand(['why', ...args]);
}

/** Starts an admin API that a test plays; returns its address as `--admin` takes it. */
async function adminAt(t: TestContext, bind: BindAddress): Promise<{ context: FakeContext; address: string }> {
  const context = new FakeContext();
  const server = new AdminServer(context);
  const address = await server.start(rulesAt(bind));
  t.after(() => server.close());
  return { context, address: bind.kind === 'unix' ? `unix:${address}` : address };
}

const LOOPBACK: BindAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };

describe('fairlead why', () => {
  test('explains an endpoint, as text and as JSON', async (t) => {
    const { context, address } = await adminAt(t, LOOPBACK);
    context.health.change(0, { availability: 'down', axes: { ...context.health.views.get(0)!.axes, check: 'down' } });
    const text = await why('api/127.0.0.1:3000', '--admin', address);
    assert.equal(text.code, 0);
    assert.match(text.stdout, /^api\/127\.0\.0\.1:3000 is down since .*: it takes no requests\n/);
    const json = await why('api/127.0.0.1:3000', '--json', '--admin', address);
    assert.equal((JSON.parse(json.stdout) as Record<string, unknown>)['availability'], 'down');
  });

  test('asks over a Unix socket too', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const { address } = await adminAt(t, { kind: 'unix', path: path.join(folder, 'admin.sock') });
    const { code, stdout } = await why('web/127.0.0.1:3002', '--admin', address);
    assert.equal(code, 0);
    assert.match(stdout, /its agent said "50%"/);
  });

  test('says which endpoints there are when asked about another one, with 2', async (t) => {
    const { address } = await adminAt(t, LOOPBACK);
    const { code, stdout, stderr } = await why('api/10.0.0.1:9', '--admin', address);
    assert.deepEqual([code, stdout], [2, '']);
    const names = ['api/127.0.0.1:3000', 'api/127.0.0.1:3001', 'web/127.0.0.1:3002'];
    assert.equal(stderr, `fairlead: there is no endpoint api/10.0.0.1:9; there are:\n  ${names.join('\n  ')}\n`);
  });

  test('refuses what names no endpoint, and addresses that are none, with 2', async () => {
    for (const args of [['api'], ['/x'], ['api/'], ['api/x', '--admin', 'nowhere'], ['api/x', '--admin', 'fd:3'], []]) {
      const { code, stderr } = await why(...args);
      assert.equal(code, 2, stderr);
      assert.ok(stderr.length > 0);
    }
  });

  test('says that nobody answers, with 4', async (t) => {
    const refused = await why('api/x', '--admin', `127.0.0.1:${refusingPort(t)}`);
    assert.equal(refused.code, 4);
    assert.match(
      refused.stderr,
      /^fairlead: the admin API at 127\.0\.0\.1:\d+ can't be reached: connection refused; is Fairlead running/,
    );
    const missing = await why('api/x', '--admin', 'unix:/nowhere/fairlead.sock');
    assert.equal(missing.code, 4);
    assert.match(missing.stderr, /there is no such socket/);
  });

  test('says that something else answers, with 4', async (t) => {
    const server = http.createServer((_request, response) => response.writeHead(404).end('<html>nothing here'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { code, stderr } = await why('api/x', '--admin', `127.0.0.1:${(server.address() as AddressInfo).port}`);
    assert.equal(code, 4);
    assert.match(stderr, /is not the admin API of Fairlead: it sent 404 without JSON/);
  });
});
