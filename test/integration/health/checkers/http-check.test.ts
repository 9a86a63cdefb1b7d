// The HTTP heartbeat against real servers. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { HeartbeatSnapshot } from '../../../../core/snapshot/health.ts';
import type { HeartbeatResult } from '../../../../health/checkers/checker.ts';
import { http } from '../../../../health/checkers/http-check.ts';
import { refusingPort, resultOf, targetAt } from '../../../support/heartbeat-target.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';
import {
  answer,
  fin,
  hang,
  reset,
  ScriptedOrigin,
  send,
  type OriginOptions,
  type Step,
} from '../../../support/scripted-origin.ts';

async function originIn(t: TestContext, options: OriginOptions = {}): Promise<ScriptedOrigin> {
  const origin = await ScriptedOrigin.listen(options);
  t.after(() => origin.close());
  return origin;
}

/** The result of a heartbeat that gets these steps as its response. */
async function findingOf(t: TestContext, steps: readonly Step[], statuses?: number[]): Promise<HeartbeatResult> {
  const origin = await originIn(t);
  origin.play(...steps);
  return resultOf(http, targetAt({ port: origin.port }, statuses && { statuses }));
}

const status = (line: string, fields = ''): string => `HTTP/1.1 ${line}\r\nContent-Length: 0\r\n${fields}\r\n`;

describe('the HTTP heartbeat', () => {
  test('sends the configured request on its own connection and closes it', async (t) => {
    const origin = await originIn(t);
    const target = targetAt({ port: origin.port }, { method: 'HEAD', path: '/up?full=1', host: 'api.example.com' });
    for (let i = 0; i < 2; i++) assert.deepEqual(await resultOf(http, target), { kind: 'ok', cause: 'got 200' });
    const { head } = await origin.request(0);
    assert.match(head, /^HEAD \/up\?full=1 HTTP\/1\.1\r\n/);
    assert.match(head, /\r\nhost: api\.example\.com\r\n/i);
    assert.match(head, /\r\nconnection: close\r\n/i);
    assert.match(head, /\r\nuser-agent: fairlead-heartbeat\r\n/i);
    assert.equal(origin.connections.length, 2);
    await Promise.all(origin.connections.map(({ closed }) => closed));
  });

  test("names the endpoint's own address where no host is configured", async (t) => {
    const origin = await originIn(t);
    await resultOf(http, targetAt({ port: origin.port }));
    assert.match((await origin.request(0)).head, new RegExp(`\\r\\nhost: 127\\.0\\.0\\.1:${origin.port}\\r\\n`, 'i'));
  });

  test('goes to a port of its own where one is configured', async (t) => {
    const origin = await originIn(t);
    const target = targetAt({ port: refusingPort(t) }, { port: origin.port });
    assert.equal((await resultOf(http, target)).kind, 'ok');
  });
});

describe('a status', () => {
  const rows: readonly (readonly [status: number, statuses: number[], kind: string])[] = [
    [200, [200, 399], 'ok'],
    [302, [200, 399], 'ok'],
    [404, [200, 399], 'fail'],
    [503, [200, 399], 'fail'],
    [302, [200, 299], 'fail'],
    [401, [200, 299, 401, 401], 'ok'],
    [402, [200, 299, 401, 401], 'fail'],
  ];
  for (const [code, statuses, kind] of rows) {
    test(`${code} where ${statuses.join(', ')} are good: ${kind}`, async (t) => {
      const found = await findingOf(t, [send(status(`${code} X`))], statuses);
      assert.deepEqual(found, { kind, cause: `got ${code}` });
    });
  }

  test('of a redirect is not followed', async (t) => {
    const origin = await originIn(t);
    origin.play(send(status('302 Found', `Location: http://127.0.0.1:${origin.port}/elsewhere\r\n`)));
    await resultOf(http, targetAt({ port: origin.port }));
    assert.equal(origin.requests.length, 1);
  });

  test('is the final one, not an interim one', async (t) => {
    const found = await findingOf(t, [send('HTTP/1.1 103 Early Hints\r\n\r\n'), send(status('500 Oops'))]);
    assert.deepEqual(found, { kind: 'fail', cause: 'got 500' });
  });
});

describe('an endpoint that fails', () => {
  const cut = 'connection closed before the response was whole';

  test('refuses connections', async (t) => {
    const found = await resultOf(http, targetAt({ port: refusingPort(t) }));
    assert.deepEqual(found, { kind: 'fail', cause: 'connection refused' });
  });

  test('resets the connection', async (t) => {
    assert.deepEqual(await findingOf(t, [reset()]), { kind: 'fail', cause: 'connection reset' });
  });

  test('closes the connection without an answer', async (t) => {
    assert.deepEqual(await findingOf(t, [fin()]), { kind: 'fail', cause: cut });
  });

  test('closes the connection as soon as it is made', async (t) => {
    const origin = await originIn(t);
    origin.greet(fin());
    origin.otherwise = [fin()];
    assert.equal((await resultOf(http, targetAt({ port: origin.port }))).kind, 'fail');
    assert.equal(origin.connections.length, 1);
  });

  test('cuts the body short', async (t) => {
    const found = await findingOf(t, [send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'), fin()]);
    assert.deepEqual(found, { kind: 'fail', cause: cut });
  });

  test('speaks something else', async (t) => {
    const found = await findingOf(t, [send('SSH-2.0-OpenSSH_9.6\r\n')]);
    assert.equal(found.kind, 'fail');
    assert.match(found.cause, /^malformed response: Expected HTTP/);
  });

  test('sends a head without end', async (t) => {
    const found = await findingOf(t, [send(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}`), hang()]);
    assert.deepEqual(found, { kind: 'fail', cause: 'response head too large' });
  });
});

describe('a body', () => {
  test('is read to its end', async (t) => {
    assert.equal((await findingOf(t, [send(answer('x'.repeat(10_000)))])).kind, 'ok');
  });

  test('without end is read for 64 KiB only, and the connection closed', async (t) => {
    const origin = await originIn(t);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    origin.play(send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), send(chunk), hang());
    assert.equal((await resultOf(http, targetAt({ port: origin.port }))).kind, 'ok');
    await (await origin.connection(0)).closed;
  });
});

describe('an answer with a good status', () => {
  const rows: readonly (readonly [string, Partial<HeartbeatSnapshot>, body: string, fields: string, cause: string])[] =
    [
      ['whose body matches', { bodyPattern: '"status":\\s*"ok"' }, '{"status": "ok"}', '', 'got 200'],
      ['whose body does not', { bodyPattern: '^ok$' }, 'not ok', '', 'got 200 with a body that does not match'],
      ['whose body is empty', { bodyPattern: '.' }, '', '', 'got 200 with a body that does not match'],
      ['that matches within 16 KiB', { bodyPattern: 'ok$' }, `${' '.repeat(16_382)}okfar`, '', 'got 200'],
      [
        'that matches after them',
        { bodyPattern: 'ok' },
        `${' '.repeat(16_383)}ok`,
        '',
        'got 200 with a body that does not match',
      ],
      ['that is not ASCII', { bodyPattern: '^gr\u00fcn$' }, 'gr\xc3\xbcn', '', 'got 200'],
      ['that is cut in a character', { bodyPattern: '^ +' }, `${' '.repeat(16_383)}\xc3\xbc`, '', 'got 200'],
      ['with the field', { expectedFields: ['x-ready', 'yes'] }, '', 'X-Ready: yes\r\n', 'got 200'],
      ['with it twice', { expectedFields: ['x-ready', 'yes'] }, '', 'X-Ready: no\r\nX-Ready:  yes \r\n', 'got 200'],
      ['without it', { expectedFields: ['x-ready', 'yes'] }, '', '', 'got 200 without x-ready'],
      [
        'with another value',
        { expectedFields: ['x-ready', 'yes'] },
        '',
        'X-Ready: Yes\r\n',
        'got 200 with another x-ready',
      ],
      ['with one of two', { expectedFields: ['a', '1', 'b', '2'] }, '', 'A: 1\r\n', 'got 200 without b'],
    ];
  for (const [title, heartbeat, body, fields, cause] of rows) {
    test(`${title}: ${cause}`, async (t) => {
      const origin = await originIn(t);
      origin.play(send(answer(body, fields)));
      const found = await resultOf(http, targetAt({ port: origin.port }, heartbeat));
      assert.deepEqual(found, { kind: cause === 'got 200' ? 'ok' : 'fail', cause });
    });
  }
});

describe('an agent report', () => {
  test('is read from good responses and bad ones', async (t) => {
    const said = 'X-Fairlead-Agent: 50% drain\r\n';
    const good = await findingOf(t, [send(status('200 OK', said))]);
    assert.deepEqual(good, { kind: 'ok', cause: 'got 200', agentWords: '50% drain' });
    const bad = await findingOf(t, [send(status('503 Oops', 'X-Fairlead-Agent: stopped\r\nx-fairlead-agent: 5%\r\n'))]);
    assert.deepEqual(bad, { kind: 'fail', cause: 'got 503', agentWords: 'stopped, 5%' });
  });
});

describe('the phase of a heartbeat', () => {
  /** Begins one, waits until its phase is `phase`, cancels it, and waits until the endpoint has seen it go. */
  async function cancelIn(t: TestContext, origin: ScriptedOrigin, phase: string, tls = false): Promise<void> {
    const target = targetAt({ port: origin.port, protocol: tls ? 'https' : 'http' });
    const check = http.run(target, () => assert.fail('nothing may come after a cancel'));
    await t.waitFor(() => assert.equal(check.phase(), phase));
    const connection = await origin.connection(0);
    check.cancel();
    await connection.closed;
    check.cancel();
  }

  test('the response', async (t) => {
    const origin = await originIn(t);
    origin.play(hang());
    await cancelIn(t, origin, 'waiting for the response');
  });

  test('the body', async (t) => {
    const origin = await originIn(t);
    origin.play(send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'), hang());
    await cancelIn(t, origin, 'reading the body');
  });

  test('the TLS handshake, with a server that speaks none', async (t) => {
    await cancelIn(t, await originIn(t), 'in the TLS handshake', true);
  });
});

describe('over TLS', () => {
  const options = { tls: { cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY } };
  const rows: readonly (readonly [title: string, tls: Parameters<typeof targetAt>[2], cause: RegExp])[] = [
    ['a certificate of a known CA is good', { ca: [ORIGIN_CERTIFICATE] }, /^got 200$/],
    ['for the configured name too', { ca: [ORIGIN_CERTIFICATE], serverName: 'origin.test' }, /^got 200$/],
    ['an unknown CA is not', {}, /^TLS failed: its certificate is self-signed: name it in tls\.ca/],
    ['another name is not', { ca: [ORIGIN_CERTIFICATE], serverName: 'other.test' }, /^TLS failed: .*other\.test/],
    ['anything is, where nothing is verified', { verify: false, serverName: 'other.test' }, /^got 200$/],
  ];
  for (const [title, tls, cause] of rows) {
    test(title, async (t) => {
      const origin = await originIn(t, options);
      const found = await resultOf(http, targetAt({ port: origin.port, protocol: 'https' }, {}, tls));
      assert.match(found.cause, cause);
      assert.equal(found.kind, found.cause === 'got 200' ? 'ok' : 'fail');
    });
  }
});

describe('over a Unix socket', () => {
  test('is checked; a missing one is a failure', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const socketPath = path.join(folder, 'endpoint.sock');
    const origin = await originIn(t, { path: socketPath });
    const at = (one: string) => targetAt({ socketPath: one, host: '', port: 0 });
    assert.deepEqual(await resultOf(http, at(socketPath)), { kind: 'ok', cause: 'got 200' });
    assert.match((await origin.request(0)).head, /\r\nhost: localhost\r\n/i);
    const missing = await resultOf(http, at(`${socketPath}.no`));
    assert.deepEqual(missing, { kind: 'fail', cause: "the socket's path doesn't exist" });
  });
});
