// `explain` for TCP sessions: listener, route, policies, candidates, and the text of it. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainSessionText } from '../../../../bin/commands/explain/explain-session-text.ts';
import { explainFile } from '../../../../control/explain/explanation.ts';
import { explainedSession, type SessionReply } from '../../../../admin/api/explain-session-schemas.ts';
import { seededRandom } from '../../../../core/random.ts';
import { loadConfigText } from '../../../../config/load.ts';
import { privateCertificates } from '../../../support/private-certificates.ts';
import { WALL_MS } from '../../config/golden-cases.ts';

const CERTIFICATE = '{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key }';
const CONFIG = `
listeners:
  - { name: web, bind: ":80" }
  - { name: db, mode: tcp, bind: ":5432", deny: 10.9.0.0/16 }
  - { name: pass, mode: tcp, bind: ":443", proxyProtocol: { trusted: [10.0.0.10] } }
  - { name: own, mode: tcp, bind: ":8443", tls: { certificates: [${CERTIFICATE}], strictSni: true } }
  - { name: mail, mode: tcp, bind: ":993", tls: { certificates: [${CERTIFICATE}], alpn: [imap, pop3] } }
routes:
  - { name: reports, match: { listener: db, client: 10.1.0.0/16, not: { client: 10.1.9.0/24 } }, upstream: hashed }
  - { name: db, match: { listener: db }, upstream: db, allow: 10.0.0.0/8, timeouts: { tunnel: 5m } }
  - { name: git, match: { listener: pass, serverName: "*.git.example.com" }, upstream: hashed }
  - { name: web2, match: { listener: pass, serverName: www.example.com, alpn: h2 }, upstream: db }
  - { name: mail, match: { listener: mail, alpn: imap }, upstream: db }
  - { name: own, match: { listener: own }, upstream: db }
  - { name: site, match: { listener: web }, upstream: app }
upstreams:
  app: { endpoints: [http://10.0.0.9], health: { heartbeat: false } }
  db: { endpoints: [tcp://10.0.0.1:5432, tcp://10.0.0.2:5432], balance: first, onDown: close, health: { heartbeat: false } }
  hashed:
    endpoints: [tcp://10.0.0.3:1, tcp://10.0.0.4:1]
    balance: { strategy: consistent-hash, key: client-ip }
    health: { heartbeat: false }
`;
const LOADED = loadConfigText(CONFIG, {
  file: 'a.yaml',
  directory: privateCertificates(),
  environment: {},
  wallMs: WALL_MS,
});

function explained(
  url: string,
  client = '10.2.0.1',
  parts: { listener?: string; headers?: string[]; alpn?: readonly string[] } = {},
): SessionReply {
  assert.ok(LOADED.ok);
  const query = { url, method: 'GET', headers: [], listener: null, client, ...parts };
  return explainedSession.parse(explainFile(query, LOADED.config, seededRandom(1)));
}

describe('explain of a session', () => {
  const cases: readonly (readonly [
    url: string,
    client: string,
    listener: string,
    route: string | null,
    outcome: RegExp,
  ])[] = [
    ['tcp://127.0.0.1:5432', '10.1.0.1', 'db', 'reports', /^upstream hashed$/],
    ['tcp://127.0.0.1:5432', '10.1.9.1', 'db', 'db', /^upstream db$/],
    ['tcp://127.0.0.1:5432', '192.0.2.1', 'db', 'db', /^refused route db does not allow 192.0.2.1/],
    ['tcp://127.0.0.1:5432', '10.9.0.1', 'db', null, /^refused listener db does not allow 10.9.0.1/],
    ['tls://a.GIT.example.com.:443', '10.2.0.1', 'pass', 'git', /^upstream hashed$/],
    ['tls://git.example.com:443', '10.2.0.1', 'pass', null, /^no-route no route matches/],
    ['tls://10.0.0.1:443', '10.2.0.1', 'pass', null, /^no-route/],
    ['tls://x.git.example.com', '10.2.0.1', 'pass', 'git', /^upstream hashed$/],
    ['tls://shop.example.com:8443', '10.2.0.1', 'own', 'own', /^upstream db$/],
    [
      'tls://other.example.net:8443',
      '10.2.0.1',
      'own',
      null,
      /^unknown-name strictSni: no certificate .* other.example.net/,
    ],
  ];
  for (const [url, client, listener, route, outcome] of cases) {
    test(`${url} from ${client}`, () => {
      const reply = explained(url, client);
      const { action } = reply;
      assert.deepEqual([reply.listener.name, reply.route], [listener, route]);
      assert.match(`${action.kind} ${action.kind === 'upstream' ? action.upstream : action.because}`, outcome);
      assert.equal(reply.upstream?.name ?? null, action.kind === 'upstream' ? action.upstream : null);
    });
  }

  for (const [url, alpn, compared, route, outcome] of [
    ['tls://www.example.com:443', ['http/1.1', 'h2'], ['http/1.1', 'h2'], 'web2', /^upstream db$/],
    ['tls://www.example.com:443', ['http/1.1'], ['http/1.1'], null, /^no-route/],
    ['tls://shop.example.com:993', ['pop3', 'imap'], ['imap'], 'mail', /^upstream db$/],
    ['tls://shop.example.com:993', ['pop3'], ['pop3'], null, /^no-route/],
    ['tls://shop.example.com:993', [], [], null, /^no-route/],
    ['tls://shop.example.com:993', ['h2'], [], null, /^no-protocol listener mail offers imap, pop3 alone/],
    ['tls://shop.example.com:8443', ['h2'], [], 'own', /^upstream db$/],
  ] as const) {
    test(`${url} with ALPN ${alpn.join(', ') || 'absent'}`, () => {
      const { action, session, route: found } = explained(url, '10.2.0.1', { alpn });
      assert.deepEqual([session.alpn, found], [compared, route]);
      assert.match(`${action.kind} ${action.kind === 'upstream' ? action.upstream : action.because}`, outcome);
    });
  }

  test('names the protocols of a route, and those of the session', () => {
    const { routes } = explained('tls://www.example.com:443', '10.2.0.1', { alpn: ['http/1.1'] });
    const { verdict, wanted, had } = routes.find(({ name }) => name === 'web2')!;
    assert.deepEqual([verdict, wanted, had], ['alpn', ['h2'], 'http/1.1']);
  });

  test('names the first part of each route that does not match, and the choice with its reason', () => {
    const { routes, upstream, plan } = explained('tcp://127.0.0.1:5432', '10.1.9.1');
    assert.deepEqual(
      routes.map(({ name, verdict, wanted, had }) => [name, verdict, wanted.join(), had]),
      [
        ['reports', 'not', 'client 10.1.9.0/24', ''],
        ['db', 'matched', '', ''],
        ['git', 'listener', 'pass', 'db'],
        ['web2', 'listener', 'pass', 'db'],
        ['mail', 'listener', 'mail', 'db'],
        ['own', 'listener', 'own', 'db'],
      ],
    );
    assert.equal(upstream!.choice.endpoint, '10.0.0.1:5432');
    assert.equal(plan!.timeouts.tunnelMs, 300_000);
    assert.equal(plan!.verdict, 'never-sent');
  });

  test('hashes the address of the client', () => {
    const { upstream } = explained('tcp://127.0.0.1:5432', '10.1.0.7');
    assert.deepEqual(upstream!.hashKey, { from: 'client-ip', value: '10.1.0.7' });
  });

  for (const [url, parts, message] of [
    ['tcp://a b:1', {}, /is not a session: write tcp:\/\/host:port/],
    ['tcp://a:1', { headers: ['a: b'] }, /a TCP session has no header fields/],
    ['tcp://a:1', { listener: 'web' }, /no listener web with mode: tcp; there are: db, pass, own, mail/],
    ['tcp://a:1', { alpn: ['h2'] }, /has no TLS, and so no ALPN: write tls:\/\/name:port/],
    ['http://a', { alpn: ['h2'] }, /ALPN is for TCP sessions: write tls:\/\/name:port/],
  ] as const) {
    test(`${url} with ${JSON.stringify(parts)} is refused`, () => {
      assert.throws(
        () => explained(url, '10.0.0.1', { ...parts, headers: [...('headers' in parts ? parts.headers : [])] }),
        message,
      );
    });
  }

  test('is a text for a terminal', () => {
    assert.equal(
      explainSessionText(explained('tls://a.git.example.com:443', '10.2.0.1')).replaceAll(/ +$/gm, ''),
      `TCP session for a.git.example.com with TLS that an endpoint answers, from 10.2.0.1
listener   pass: it listens on port 443
           PROXY protocol headers of 10.0.0.10 name the client; other connections are closed
route      git -> upstream hashed
        1  reports  no, listener: wants db, has pass
        2  db       no, listener: wants db, has pass
        3  git      matches, and is the first
upstream   hashed: consistent-hash, primary tier
hash key   client-ip = 10.2.0.1
            endpoint    state  role    weight  in flight  load
         >  10.0.0.3:1  up     usable  1       0          -
            10.0.0.4:1  up     usable  1       0          -
choice     10.0.0.3:1: client-ip "10.2.0.1" is hashed to it
retries    up to 2; no connection could be made: again (never-sent)
timeouts   connect 3000 ms, idle 3600000 ms
queue      1000 places, 5000 ms; priority default
down       where the endpoint goes down, the session is kept`,
    );
  });
});
