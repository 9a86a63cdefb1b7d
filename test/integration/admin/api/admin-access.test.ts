// Access to the admin API: tokens, roles, certificates; and moving to another address. Thread: main.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { digestOf } from '../../../../config/compile/compile-admin.ts';
import type { AdminSnapshot } from '../../../../core/snapshot/admin.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { adminAt, LOOPBACK } from '../../../unit/admin/fake-context.ts';
import { AskedServer, type AskOptions, errorCode, portOf, STATE } from '../asked-server.ts';

const WRITER = 'the token of the operators';
const READER = 'the-token-of-a-dashboard';
const TOKENS: AdminSnapshot['tokens'] = [
  { name: 'ops', role: 'write', digest: digestOf(WRITER.replaceAll(' ', '-')) },
  { name: 'grafana', role: 'read', digest: digestOf(READER) },
];
const bearer = (token: string) => ({ authorization: `Bearer ${token.replaceAll(' ', '-')}` });

async function startAsked(t: TestContext, parts: Partial<AdminSnapshot>): Promise<AskedServer> {
  const asked = await AskedServer.start(parts);
  t.after(() => asked.server.close());
  return asked;
}

describe('with tokens', () => {
  let asked: AskedServer;
  before(async () => {
    asked = await AskedServer.start({ tokens: TOKENS, open: ['/healthz', '/metrics'] });
  });
  after(() => asked.server.close());

  test('without one only open routes reply, on loopback too', async () => {
    for (const target of ['/api/v1/status', '/api/v1/config', '/readyz', '/nothing', '/metrics/']) {
      const answer = await asked.ask('GET', target);
      assert.deepEqual([answer.status, errorCode(answer)], [401, 'token-required']);
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="fairlead"');
    }
    for (const target of ['/healthz', '/metrics', '/metrics?scope=process']) {
      assert.equal((await asked.ask('GET', target)).status, 200);
    }
  });

  const wrong = [
    'Bearer x',
    'Bearer ',
    `Bearer ${READER}x`,
    `Bearer ${READER.slice(0, -1)}`,
    `Basic ${Buffer.from(`ops:${READER}`).toString('base64')}`,
    READER,
    `Bearer ${digestOf(READER)}`,
  ];
  for (const authorization of wrong) {
    test(`"${authorization}" is none of them`, async () => {
      const answer = await asked.ask('GET', '/api/v1/status', { headers: { authorization } });
      assert.equal(answer.status, 401);
    });
  }

  test('an unknown one is refused as unknown', async () => {
    const answer = await asked.ask('GET', '/api/v1/status', { headers: bearer('somebody-else') });
    assert.deepEqual([answer.status, errorCode(answer)], [401, 'token-unknown']);
    assert.match(answer.headers['www-authenticate'] ?? '', /error="invalid_token"/);
  });

  test('each sees everything, and the scheme is written as one likes', async () => {
    for (const token of [WRITER, READER]) {
      assert.equal((await asked.ask('GET', '/api/v1/status', { headers: bearer(token) })).status, 200);
    }
    const headers = { authorization: `bEARER  ${READER}` };
    assert.equal((await asked.ask('GET', '/api/v1/status', { headers })).status, 200);
  });

  test('only one with the role write changes something, and the record says which', async () => {
    for (const [target, body] of [
      [STATE, { admin: 'drain' }],
      ['/api/v1/reload', {}],
    ] as const) {
      const refused = await asked.post(target, body, bearer(READER));
      assert.deepEqual([refused.status, errorCode(refused)], [403, 'read-only']);
    }
    assert.equal(asked.admin, 'ready');
    assert.equal((await asked.post(STATE, { admin: 'drain' })).status, 401);
    assert.equal((await asked.post(STATE, { admin: 'drain' }, bearer(WRITER))).status, 200);
    assert.equal(asked.context.health.lastWho, 'the admin API (token ops)');
  });

  test('a page of another site stays out all the same', async () => {
    const headers = { ...bearer(WRITER), host: 'evil.example' };
    assert.equal((await asked.ask('GET', '/api/v1/status', { headers })).status, 403);
  });
});

describe('an address that others reach', () => {
  const anywhere = { kind: 'tcp', host: '0.0.0.0', port: 0 } as const;

  test('is bound where a token is needed, and is reached by address and by configured names', async (t) => {
    const asked = await startAsked(t, { bind: anywhere, tokens: TOKENS, hosts: ['lb.internal'] });
    for (const [host, status] of [
      ['10.1.2.3', 200],
      ['lb.internal:9900', 200],
      ['evil.example', 403],
    ] as const) {
      assert.equal(
        (await asked.ask('GET', '/api/v1/version', { headers: { ...bearer(READER), host } })).status,
        status,
      );
    }
  });

  test('is refused with TLS alone', async () => {
    const { cert, key } = testCertificate(['localhost']);
    await assert.rejects(AskedServer.start({ bind: anywhere, tls: { cert, key, clientCa: null } }), {
      name: 'AdminBindError',
    });
  });
});

describe('with certificates', () => {
  const server = testCertificate(['localhost']);
  const operator = testCertificate(['operator']);
  const stranger = testCertificate(['stranger']);
  const trust = { ca: server.cert, servername: 'localhost' };
  const SECURE = { tls: { cert: server.cert, key: server.key, clientCa: operator.cert } };
  const withKey = (who: typeof operator): AskOptions => ({ ...trust, cert: who.cert, key: who.key });

  test('an operator is let in and named in the record', async (t) => {
    const asked = await startAsked(t, { ...SECURE, bind: { kind: 'tcp', host: '0.0.0.0', port: 0 } });
    const body = JSON.stringify({ admin: 'drain' });
    const headers = { 'content-type': 'application/json' };
    const answer = await asked.ask('POST', STATE, { ...withKey(operator), body, headers });
    assert.equal(answer.status, 200);
    assert.equal(asked.context.health.lastWho, 'the admin API (certificate operator)');
  });

  test('nobody else is, whichever path', async (t) => {
    const asked = await startAsked(t, { ...SECURE, open: ['/healthz'] });
    for (const target of ['/api/v1/status', '/healthz']) {
      await assert.rejects(asked.ask('GET', target, trust));
      await assert.rejects(asked.ask('GET', target, withKey(stranger)));
      await assert.rejects(asked.ask('GET', target));
    }
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`a stranger gets nowhere by taking up a refused session of ${maxVersion} again`, async (t) => {
      const asked = await startAsked(t, SECURE);
      const to = { host: '127.0.0.1', port: asked.port, ...trust, maxVersion };
      const identity = { cert: stranger.cert, key: stranger.key };
      const first = await tryOnce({ ...to, ...identity });
      assert.equal(first.text, '');
      for (const session of first.sessions) {
        for (const options of [
          { ...to, session },
          { ...to, ...identity, session },
        ]) {
          assert.equal((await tryOnce(options)).text, '');
        }
      }
    });
  }

  test('and tokens, both are needed, and the token says what one may do', async (t) => {
    const asked = await startAsked(t, { ...SECURE, tokens: TOKENS });
    assert.equal((await asked.ask('GET', '/api/v1/status', withKey(operator))).status, 401);
    const options = { ...withKey(operator), headers: bearer(READER) };
    assert.equal((await asked.ask('GET', '/api/v1/status', options)).status, 200);
    await assert.rejects(asked.ask('GET', '/api/v1/status', { ...trust, headers: bearer(WRITER) }));
  });

  test('of its own, without those of clients, a token is enough', async (t) => {
    const { cert, key } = server;
    const asked = await startAsked(t, { tls: { cert, key, clientCa: null }, tokens: TOKENS });
    assert.equal((await asked.ask('GET', '/api/v1/status', { ...trust, headers: bearer(READER) })).status, 200);
  });
});

interface Try {
  readonly text: string;
  readonly sessions: readonly Buffer[];
}

/** One GET over a TLS connection, whatever comes of it. */
function tryOnce(options: tls.ConnectionOptions): Promise<Try> {
  return new Promise((resolve) => {
    const sessions: Buffer[] = [];
    let text = '';
    const socket = tls.connect(options);
    socket.on('session', (session) => sessions.push(session));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('close', () => resolve({ text, sessions }));
    socket.write('GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
}

describe('a reload', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-admin-'));
  let asked: AskedServer | null = null;
  afterEach(() => asked?.server.close());
  after(() => fs.rmSync(folder, { recursive: true }));

  test('that changes tokens takes effect at once, on the same address', async () => {
    asked = await AskedServer.start({ tokens: TOKENS });
    const address = await asked.server.move(adminAt(LOOPBACK, { tokens: TOKENS.slice(0, 1) }));
    assert.equal(portOf(address), asked.port);
    assert.equal((await asked.ask('GET', '/api/v1/status', { headers: bearer(READER) })).status, 401);
    assert.equal((await asked.ask('GET', '/api/v1/status', { headers: bearer(WRITER) })).status, 200);
  });

  test('that changes the certificate takes effect for new connections', async () => {
    const [one, two] = [testCertificate(['localhost']), testCertificate(['localhost', 'other'])];
    asked = await AskedServer.start({ tls: { cert: one.cert, key: one.key, clientCa: null } });
    const status = (ca: string) => asked!.ask('GET', '/healthz', { ca, servername: 'localhost' });
    assert.equal((await status(one.cert)).status, 200);
    await asked.server.move(adminAt(LOOPBACK, { tls: { cert: two.cert, key: two.key, clientCa: null } }));
    assert.equal((await status(two.cert)).status, 200);
    await assert.rejects(status(one.cert));
  });

  test('that moves it is answered on the old address, which is left', async () => {
    asked = await AskedServer.start();
    const socketPath = path.join(folder, 'moved.sock');
    const { context, server } = asked;
    context.reload = async () => {
      await server.move(adminAt({ kind: 'unix', path: socketPath }));
      return { ok: true, revision: 8, changes: ['setting admin.bind'] };
    };
    assert.equal((await asked.post('/api/v1/reload', {})).status, 200);
    await assert.rejects(asked.ask('GET', '/healthz'), { code: 'ECONNREFUSED' });
    assert.equal((await asked.ask('GET', '/healthz', { socketPath })).status, 200);
    context.clock.advance(5_000);
    await server.close();
    assert.equal(context.clock.pendingCount, 0);
  });

  test('that would move it to where it may not be changes nothing', async () => {
    asked = await AskedServer.start();
    const anywhere = adminAt({ kind: 'tcp', host: '0.0.0.0', port: 0 });
    await assert.rejects(asked.server.move(anywhere), { name: 'AdminBindError' });
    assert.equal((await asked.ask('GET', '/healthz')).status, 200);
  });

  test('that takes TLS up on the same address leaves it where it is', async () => {
    const { cert, key } = testCertificate(['localhost']);
    const earlier = await AskedServer.start();
    await earlier.server.close();
    const bind = { ...LOOPBACK, port: earlier.port };
    asked = await AskedServer.start({ bind });
    const address = await asked.server.move(adminAt(bind, { tls: { cert, key, clientCa: null } }));
    assert.equal(portOf(address), asked.port);
    assert.equal((await asked.ask('GET', '/healthz', { ca: cert, servername: 'localhost' })).status, 200);
    await assert.rejects(asked.ask('GET', '/healthz'));
  });
});
