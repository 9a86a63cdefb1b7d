// How commands speak to the admin API: with tokens, over TLS, for changes and for events. Thread: main.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { AdminServer } from '../../../admin/api/admin-server.ts';
import { callAdmin, refusalWords, watchAdmin } from '../../../bin/commands/live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../../../bin/commands/live/admin-target.ts';
import { digestOf } from '../../../config/compile/compile-admin.ts';
import type { AdminSnapshot } from '../../../core/snapshot/admin.ts';
import { testCertificate } from '../../support/certificates.ts';
import { adminAt, FakeContext, LOOPBACK } from '../../unit/admin/fake-context.ts';

const TOKEN = 'the-token-of-the-operators';
const TOKENS: AdminSnapshot['tokens'] = [{ name: 'ops', role: 'write', digest: digestOf(TOKEN) }];
const ENDPOINT = '/api/v1/endpoints/api/127.0.0.1:3001';

async function serve(t: TestContext, parts: Partial<AdminSnapshot>) {
  const context = new FakeContext();
  const server = new AdminServer(context);
  const address = await server.start(adminAt(LOOPBACK, parts));
  t.after(() => server.close());
  return { context, server, address };
}

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

describe('a command', () => {
  test('sends its token, and prints what is missing without one', async (t) => {
    const { address } = await serve(t, { tokens: TOKENS });
    const refused = await callAdmin(adminTarget({ admin: address }), '/api/v1/status');
    assert.equal(refused.status, 401);
    assert.match(refusalWords(refused), /send a token.*FAIRLEAD_ADMIN_TOKEN/);
    const { status } = await callAdmin(adminTarget({ admin: address, token: TOKEN }), '/api/v1/status');
    assert.equal(status, 200);
  });

  test('changes something only if it is as it was seen', async (t) => {
    const { address, context } = await serve(t, {});
    const target = adminTarget({ admin: address });
    const { tag } = await callAdmin(target, ENDPOINT);
    const change = { method: 'PATCH', body: { admin: 'drain', weight: 7 }, ifMatch: tag } as const;
    assert.equal((await callAdmin(target, ENDPOINT, change)).status, 200);
    const again = await callAdmin(target, ENDPOINT, { ...change, body: { admin: 'ready' } });
    assert.deepEqual(
      [again.status, refusalWords(again)],
      [412, 'the resource has changed since its entity tag was issued: read it again, then decide'],
    );
    assert.equal(context.health.views.get(1)!.axes.admin, 'drain');
  });

  test('speaks TLS, and shows a certificate of its own', async (t) => {
    const [server, operator] = [testCertificate(['localhost']), testCertificate(['operator'])];
    const { address } = await serve(t, { tls: { cert: server.cert, key: server.key, clientCa: operator.cert } });
    const folder = folderOf(t, { 'ca.pem': server.cert, 'me.pem': operator.cert, 'me.key': operator.key });
    const file = (name: string) => path.join(folder, name);
    const options: AdminOptions = { admin: `https://${address}`, ca: file('ca.pem') };
    const { status } = await callAdmin(
      adminTarget({ ...options, cert: file('me.pem'), key: file('me.key') }),
      '/api/v1/version',
    );
    assert.equal(status, 200);
    await assert.rejects(callAdmin(adminTarget(options), '/api/v1/version'), { name: 'UnreachableError' });
    await assert.rejects(callAdmin(adminTarget({ admin: address }), '/api/v1/version'), { name: 'UnreachableError' });
  });

  test('watches events, until it has seen enough', async (t) => {
    const { address, server } = await serve(t, { tokens: TOKENS });
    const ends = new AbortController();
    const target = adminTarget({ admin: address, token: TOKEN });
    const kinds: string[] = [];
    for await (const { event, data } of watchAdmin(target, '/api/v1/events', { signal: ends.signal })) {
      kinds.push(event);
      if (event === 'status') server.noteReload({ ok: true, revision: 7, changes: ['one ö'] });
      else {
        assert.deepEqual((data as { changes: string[] }).changes, ['one ö']);
        ends.abort();
      }
    }
    assert.deepEqual(kinds, ['status', 'reload']);
    const others = watchAdmin(adminTarget({ admin: address }), '/api/v1/events', { signal: ends.signal });
    await assert.rejects(others.next());
  });

  test('is refused without access', async (t) => {
    const { address } = await serve(t, { tokens: TOKENS });
    const { signal } = new AbortController();
    const stream = watchAdmin(adminTarget({ admin: address }), '/api/v1/events', { signal });
    await assert.rejects(stream.next(), { name: 'RefusedError', message: /send a token/ });
  });

  test('takes token and address from the environment', async (t) => {
    const { address } = await serve(t, { tokens: TOKENS });
    const entry = path.join(import.meta.dirname, '../../../bin/fairlead.ts');
    const env = { ...process.env, FAIRLEAD_ADMIN: address, FAIRLEAD_ADMIN_TOKEN: TOKEN };
    const stdout = await new Promise<string>((resolve) => {
      execFile(process.execPath, [entry, 'why', 'api/127.0.0.1:3000'], { env }, (_error, text) => resolve(text));
    });
    assert.match(stdout, /^api\/127\.0\.0\.1:3000 is up since /);
  });
});

test('an address that makes no sense is refused', (t) => {
  const folder = folderOf(t, { 'ca.pem': 'x' });
  for (const [options, expected] of [
    [{ admin: 'nowhere' }, /is not a bind address/],
    [{ admin: 'fd:3' }, /descriptor of another process/],
    [{ admin: '127.0.0.1:1', ca: path.join(folder, 'ca.pem') }, /--ca is for TLS/],
    [{ admin: 'https://localhost:1', cert: path.join(folder, 'none.pem') }, /the file of --cert can't be read/],
  ] as const) {
    assert.throws(() => adminTarget(options), { name: 'AddressError', message: expected });
  }
  assert.equal(adminTarget({ admin: 'https://:9900/' }).name, 'https://127.0.0.1:9900');
});
