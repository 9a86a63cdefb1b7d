// TCP listeners that terminate TLS: certificates and routes by server name, ALPN, client certificates, sessions over
// workers, TLS to endpoints, and the PROXY protocol on both sides. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { testCertificate } from '../../support/certificates.ts';
import { makeClientCertificates } from '../../support/client-certificates.ts';
import { startFairlead } from '../../support/fairlead.ts';
import { opensslClient } from '../../support/openssl-client.ts';
import { tcpClient } from '../../support/tcp-endpoint.ts';
import { type EndpointLine, startTlsEndpoint } from '../../support/tls-endpoint.ts';

// size: the cases share one proxy, and each is a subtest
test('TCP listeners that terminate TLS', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-tcp-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clients = makeClientCertificates(folder);
  const certificates = ['a.test', '*.b.test'].map((name, index) => {
    const { cert, key } = testCertificate([name]);
    writeFileSync(path.join(folder, `${index}.pem`), cert);
    writeFileSync(path.join(folder, `${index}.key`), key, { mode: 0o600 });
    return `{ cert: ${folder}/${index}.pem, key: ${folder}/${index}.key }`;
  });
  const tls = `certificates: [${certificates.join(', ')}]`;
  const [a, b, secure] = await Promise.all([
    startTlsEndpoint(t, { name: 'a', isTls: false, hasHeader: true }),
    startTlsEndpoint(t, { name: 'b', isTls: false }),
    startTlsEndpoint(t, { name: 'inner.test' }),
  ]);
  const fairlead = await startFairlead(
    t,
    `
workers: 2
listeners:
  - { name: db, mode: tcp, bind: "127.0.0.1:0", tls: { ${tls}, alpn: [postgresql, other] } }
  - { name: proxied, mode: tcp, bind: "127.0.0.1:0", tls: { ${tls}, alpn: [postgresql] }, proxyProtocol: { trusted: [127.0.0.1] } }
  - { name: verified, mode: tcp, bind: "127.0.0.1:0", tls: { ${tls}, strictSni: true, clientAuth: required, clientCa: ${folder}/ca.pem } }
routes:
  - { match: { serverName: "*.b.test" }, upstream: b }
  - { match: { listener: db, alpn: other }, upstream: b }
  - { match: { listener: verified }, upstream: secure }
  - { upstream: a }
upstreams:
  a: { endpoints: ["tcp://127.0.0.1:${a}"], health: { heartbeat: false }, proxyProtocol: v2 }
  b: { endpoints: ["tcp://127.0.0.1:${b}"], health: { heartbeat: false } }
  secure: { endpoints: ["tls://127.0.0.1:${secure}"], health: { heartbeat: false }, tls: { verify: false, serverName: inner.test } }
`,
  );
  const portOf = (name: string): number => fairlead.plane.bound.find((one) => one.name === name)!.port;
  const open = (listener: string, options: ConnectionOptions) =>
    connect({ port: portOf(listener), host: '127.0.0.1', rejectUnauthorized: false, ...options });
  const lineOf = async (socket: ReturnType<typeof open>): Promise<EndpointLine> =>
    JSON.parse(await tcpClient(socket).received(/\n/)) as EndpointLine;

  for (const [servername, subject, endpoint] of [
    ['a.test', 'a.test', 'a'],
    ['X.B.test', '*.b.test', 'b'],
    ['', 'a.test', 'a'],
  ] as const) {
    await t.test(
      `${servername || 'no name'} gets the certificate of ${subject} and the endpoint ${endpoint}`,
      async () => {
        const socket = open('db', { servername });
        assert.equal((await lineOf(socket)).name, endpoint);
        assert.equal(socket.getPeerCertificate().subject.CN, subject);
        socket.destroy();
      },
    );
  }

  await t.test('relay both directions, each half-close by itself, and nothing is lost', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = open('db', { servername: 'x.b.test', maxVersion });
      const client = tcpClient(socket);
      const head = await client.received(/\n/);
      const sent = Buffer.alloc(3_000_000, 'x');
      socket.end(sent);
      assert.equal(await client.closed, 'end');
      assert.equal(client.text().length, head.length + sent.length);
    }
  });

  await t.test(
    'ALPN chooses among the protocols of the listener, routes compare the choice, and others are refused',
    async () => {
      const socket = open('db', { servername: 'a.test', ALPNProtocols: ['h2', 'postgresql'] });
      const { header } = await lineOf(socket);
      assert.equal(socket.alpnProtocol, 'postgresql');
      assert.deepEqual([header!.alpn, header!.authority, header!.tls!.version], ['postgresql', 'a.test', 'TLSv1.3']);
      socket.destroy();
      const other = open('db', { servername: 'a.test', ALPNProtocols: ['h2', 'other'] });
      assert.equal((await lineOf(other)).name, 'b', 'a route has the protocol that was agreed on');
      other.destroy();
      const both = open('db', { servername: 'a.test', ALPNProtocols: ['other', 'postgresql'] });
      assert.equal((await lineOf(both)).name, 'a', 'a protocol that was offered alone does not count');
      both.destroy();
      const refused = await opensslClient(portOf('db'), ['-servername', 'a.test', '-alpn', 'h2']);
      assert.match(refused.text, /no application protocol|alert number 120/);
    },
  );

  await t.test('a PROXY protocol header precedes TLS, and names the client to the endpoint', async () => {
    const raw = tcpClient(portOf('proxied')).socket;
    raw.removeAllListeners('data');
    raw.write('PROXY TCP4 203.0.113.7 198.51.100.1 4242 5432\r\n');
    const socket = connect({ socket: raw, servername: 'a.test', rejectUnauthorized: false });
    const { header } = await lineOf(socket);
    const { addresses, alpn, authority } = header!;
    assert.deepEqual(
      [addresses!.source, addresses!.destinationPort, alpn, authority],
      ['203.0.113.7', 5432, '', 'a.test'],
    );
    socket.destroy();
    raw.destroy();
  });

  await t.test('client certificates are verified, and TLS to the endpoint is a connection of its own', async () => {
    const args = ['-servername', 'a.test'];
    const served = await opensslClient(portOf('verified'), [...args, ...clients.valid], 'bye\n');
    assert.match(served.text, /"name":"inner.test","serverName":"inner.test"/);
    for (const refused of [args, [...args, ...clients.foreign], ['-servername', 'c.test', ...clients.valid]]) {
      const { text } = await opensslClient(portOf('verified'), refused, 'bye\n');
      assert.doesNotMatch(text, /inner.test/);
    }
  });

  await t.test('sessions are resumed over workers', async () => {
    const session = path.join(folder, 'session.pem');
    const args = ['-servername', 'x.b.test'];
    await opensslClient(portOf('db'), [...args, '-sess_out', session], 'bye\n');
    for (let round = 0; round < 6; round++) {
      const { isResumed, text } = await opensslClient(portOf('db'), [...args, '-sess_in', session], 'bye\n');
      assert.ok(isResumed, text);
    }
  });
});
