// Access to the admin API: refused configurations, and tokens in the Snapshot. Thread: main.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { compile, newTables } from '../../../config/compile/compile.ts';
import { digestOf } from '../../../config/compile/compile-admin.ts';
import { describeChanges } from '../../../config/compile/diff.ts';
import { type LoadResult, loadConfigText } from '../../../config/load.ts';
import type { Snapshot } from '../../../core/snapshot/snapshot.ts';
import { privateCertificates } from '../../support/private-certificates.ts';
import { WALL_MS } from './golden-cases.ts';

const DIRECTORY = privateCertificates();
const TOKEN = 'a-token-of-the-tests-only';
writeFileSync(path.join(DIRECTORY, 'ops.token'), `${TOKEN}-of-ops\n`, { mode: 0o600 });
writeFileSync(path.join(DIRECTORY, 'short.token'), 'short\n', { mode: 0o600 });
const TLS = 'cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key';

function load(admin: string, more = ''): LoadResult {
  const text = `listeners: [{ name: web, bind: :80 }]\nroutes: [{ respond: {} }]\nadmin: { ${admin} }\n${more}`;
  const environment = { ADMIN_TOKEN: TOKEN };
  return loadConfigText(text, { file: 'f.yaml', directory: DIRECTORY, environment, wallMs: WALL_MS });
}

/** `code path: message` of each problem. */
function problemsOf(admin: string): string[] {
  const result = load(admin);
  return (result.ok ? result.warnings : result.problems).map(
    ({ code, path: at, message }) => `${code} ${at}: ${message}`,
  );
}

function snapshotOf(admin: string, revision = 1): Snapshot {
  const result = load(admin);
  assert.ok(result.ok, JSON.stringify(result));
  return compile(result.config, newTables({ endpoints: 4, upstreams: 4, listeners: 4 }), revision);
}

describe('an admin address that other machines can reach', () => {
  for (const bind of ['0.0.0.0:9900', '":9900"', '"[::]:9900"', '10.0.0.1:9900', 'lb.internal:9900']) {
    test(`${bind} is refused without a token or client certificates`, () => {
      for (const admin of [`bind: ${bind}`, `bind: ${bind}, tls: { ${TLS} }`]) {
        assert.match(problemsOf(admin).join('\n'), /^FL3010 admin\.bind: .* is reachable from other machines/);
      }
    });
  }

  test('is accepted with client certificates, or with a token and TLS', () => {
    assert.deepEqual(problemsOf(`bind: 0.0.0.0:9900, tls: { ${TLS}, clientCa: certificates/ca.pem }`), []);
    assert.deepEqual(problemsOf(`bind: 0.0.0.0:9900, token: "\${ADMIN_TOKEN}", tls: { ${TLS} }`), []);
  });

  test('causes a warning if tokens are sent in clear text', () => {
    const [problem, ...others] = problemsOf(`bind: 0.0.0.0:9900, token: "\${ADMIN_TOKEN}"`);
    assert.match(problem!, /^FL9021 admin\.bind: tokens are sent to 0\.0\.0\.0:9900 in clear text/);
    assert.deepEqual(others, []);
  });
});

describe('an admin token', () => {
  const bad = [
    ['tokens: [{ name: a }]', /^FL2002 admin\.tokens\[0\]: a token needs one of token and file/],
    [
      `tokens: [{ name: a, token: ${TOKEN}, file: ops.token }]`,
      /^FL3007 admin\.tokens\[0\]\.file: .*remove one of them/,
    ],
    ['tokens: [{ name: a, file: missing.token }]', /^FL4001 admin\.tokens\[0\]\.file: missing\.token /],
    [
      'tokens: [{ name: a, file: short.token }]',
      /^FL2006 admin\.tokens\[0\]\.file: a token needs at least 16 characters/,
    ],
    ['token: short', /^FL2006 admin\.token: a secret needs at least 16 characters/],
    ['token: "a token with spaces in it"', /^FL2006 admin\.token: a token must be printable ASCII/],
    [`token: ${TOKEN}, tokens: [{ name: token, file: ops.token }]`, /^FL3003 .* the name "token"/],
    [`token: ${TOKEN}, tokens: [{ name: a, token: ${TOKEN} }]`, /^FL3003 admin\.tokens\[0\]\.token: a and token have/],
    ['tokens: [{ name: a, file: ops.token, role: admin }]', /^FL2005 admin\.tokens\[0\]\.role: /],
  ] as const;
  for (const [admin, expected] of bad) {
    test(`as in ${admin} is refused without showing it`, () => {
      const messages = problemsOf(`bind: 127.0.0.1:9900, ${admin}`).join('\n');
      assert.match(messages, expected);
      assert.ok(!messages.includes(TOKEN));
    });
  }

  test('is compiled to a digest with name and role; its file may end in a line break', () => {
    const { admin } = snapshotOf(
      `bind: 127.0.0.1:9900, token: "\${ADMIN_TOKEN}", tokens: [{ name: ops, file: ops.token }]`,
    );
    assert.deepEqual(admin?.tokens, [
      { name: 'token', role: 'write', digest: digestOf(TOKEN) },
      { name: 'ops', role: 'read', digest: digestOf(`${TOKEN}-of-ops`) },
    ]);
    assert.deepEqual([admin?.tls, admin?.hosts, admin?.open], [null, [], ['/healthz', '/livez', '/readyz']]);
    assert.ok(!JSON.stringify(admin).includes(TOKEN));
  });

  test('that changes is reported without its digest', () => {
    const [before, after] = ['one-token-of-two-here', 'two-token-of-two-here'].map((token, index) =>
      snapshotOf(`bind: 127.0.0.1:9900, token: ${token}`, index + 1),
    );
    assert.deepEqual(describeChanges(before!, after!), ['setting admin.tokens changed']);
  });
});

test('TLS files are read and checked', () => {
  const swapped = 'cert: certificates/shop.example.com.pem, key: certificates/api.example.com.key';
  assert.match(problemsOf(`bind: 127.0.0.1:9900, tls: { ${swapped} }`).join('\n'), /^FL4004 admin\.tls\.key: /);
  const noCa = `bind: 127.0.0.1:9900, tls: { ${TLS}, clientCa: ops.token }`;
  assert.match(problemsOf(noCa).join('\n'), /^FL4002 admin\.tls\.clientCa: ops\.token contains no certificate/);
  const { admin } = snapshotOf(`bind: 127.0.0.1:9900, tls: { ${TLS}, clientCa: certificates/ca.pem }, open: [metrics]`);
  assert.match(admin?.tls?.clientCa ?? '', /BEGIN CERTIFICATE/);
  assert.deepEqual(admin?.open, ['/metrics']);
});

test('the written configuration has variables by name and no secret', () => {
  const more = [
    'upstreams: { app: { endpoints: [http://127.0.0.1:1], sticky: { cookie: lb, secret: "sixteen letters or more" } } }',
    'log: { level: "${LEVEL:-info}" }',
  ];
  const result = load(
    `bind: 127.0.0.1:9900, token: "\${ADMIN_TOKEN}", tokens: [{ name: a, token: ${TOKEN}-of-a }]`,
    `${more.join('\n')}\n`,
  );
  assert.ok(result.ok, JSON.stringify(result));
  const { admin, upstreams, log } = result.config.written() as Record<string, Record<string, unknown>>;
  assert.deepEqual(admin, {
    bind: '127.0.0.1:9900',
    token: '${ADMIN_TOKEN}',
    tokens: [{ name: 'a', token: '<hidden>' }],
  });
  assert.deepEqual((upstreams!['app'] as Record<string, unknown>)['sticky'], { cookie: 'lb', secret: '<hidden>' });
  assert.deepEqual(log, { level: '${LEVEL}' });
});

test('the written configuration hides the users of basicAuth', () => {
  const hash = '$2b$04$8o8jOrMpduLTyqweYF/z2ugQcrcHAVwQwaNDkk16JSMnwzKUpkXS2';
  const text = [
    'listeners: [{ name: web, bind: :80 }]',
    `routes: [{ basicAuth: { users: { alice: "${hash}" }, realm: staff }, respond: {} }]`,
  ].join('\n');
  const origin = { file: 'f.yaml', directory: DIRECTORY, environment: {}, wallMs: WALL_MS };
  const result = loadConfigText(`${text}\n`, origin);
  assert.ok(result.ok, JSON.stringify(result));
  const written = result.config.written() as { routes: Record<string, unknown>[] };
  assert.deepEqual(written.routes[0]!['basicAuth'], { users: '<hidden>', realm: 'staff' });
});

test('the written configuration hides credentials in header fields and URLs', () => {
  const text = [
    'listeners: [{ name: web, bind: :80 }]',
    'routes:',
    '  - { match: { path: /a }, redirect: { to: "https://user:password@example.com/" } }',
    '  - { respond: {}, responseHeaders: { set: { X-Api-Key: abc, X-Plain: shown, Set-Cookie: "a=b" } } }',
  ].join('\n');
  const origin = { file: 'f.yaml', directory: DIRECTORY, environment: {}, wallMs: WALL_MS };
  const result = loadConfigText(`${text}\n`, origin);
  assert.ok(result.ok, JSON.stringify(result));
  const routes = result.config.written()['routes'] as Record<string, unknown>[];
  assert.deepEqual(routes[0]!['redirect'], { to: 'https://<hidden>@example.com/' });
  assert.deepEqual(routes[1]!['responseHeaders'], {
    set: { 'X-Api-Key': '<hidden>', 'X-Plain': 'shown', 'Set-Cookie': '<hidden>' },
  });
});
