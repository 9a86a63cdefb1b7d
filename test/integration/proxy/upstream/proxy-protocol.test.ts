// PROXY protocol headers to endpoints: every transport names the right client, no connection carries the requests of two
// clients, and heartbeats say that they are Fairlead's own. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Socket } from 'node:net';
import { testCertificate } from '../../../support/certificates.ts';
import { eventually, PATHS, startFairlead } from '../../../support/fairlead.ts';
import { shareFairlead } from '../../../support/shared-fairlead.ts';
import { type OriginKind, type ProxiedAnswer, ProxiedOrigin } from '../../../support/proxied-origin.ts';
import { RawClient } from '../../../support/raw-client.ts';

interface Upstream {
  readonly name: string;
  readonly kind: OriginKind;
  /** YAML. */
  readonly proxyProtocol: string;
  readonly protocol?: string;
}

const UPSTREAMS: readonly Upstream[] = [
  { name: 'plain', kind: 'http', proxyProtocol: 'v2' },
  { name: 'text', kind: 'http', proxyProtocol: 'v1' },
  { name: 'tls', kind: 'https', proxyProtocol: '{ version: v2, tlvs: [authority, tls, checksum] }' },
  { name: 'h2c', kind: 'h2c', proxyProtocol: 'v2', protocol: 'http2' },
  { name: 'h2', kind: 'h2', proxyProtocol: 'v2', protocol: 'http2' },
  { name: 'auto', kind: 'https', proxyProtocol: 'v1', protocol: 'auto' },
];

async function start(t: TestContext, fastPath: boolean, listener = '') {
  const origins = new Map<string, ProxiedOrigin>();
  for (const { name, kind } of UPSTREAMS) origins.set(name, await ProxiedOrigin.start(t, kind));
  const yaml = UPSTREAMS.map(({ name, kind, proxyProtocol, protocol = 'http1' }) => {
    const scheme = kind === 'http' || kind === 'h2c' ? 'http' : 'https';
    return `
  ${name}:
    endpoints: ["${scheme}://127.0.0.1:${origins.get(name)!.port}"]
    protocol: ${protocol}
    proxyProtocol: ${proxyProtocol}
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
    retry: { attempts: 0 }
    ${scheme === 'https' ? 'tls: { verify: false }' : ''}`;
  });
  const fairlead = await shareFairlead(
    `fastPath: ${fastPath}`,
    `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0"${listener} }]
routes: [${UPSTREAMS.map(({ name }) => `{ match: { path: /${name} }, upstream: ${name} }`).join(', ')}]
upstreams:${yaml.join('')}
`,
  );
  return { fairlead, origins };
}

async function ask(client: RawClient, path: string, fields = ''): Promise<ProxiedAnswer> {
  client.send(`GET /${path} HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n`);
  const { status, body } = await client.readResponse();
  assert.equal(status, 200, `${path}: ${body}`);
  return JSON.parse(body) as ProxiedAnswer;
}

function portOf({ localPort }: Socket): number {
  return localPort!;
}

for (const fastPath of PATHS) {
  describe(`fastPath: ${fastPath}`, () => {
    test('each client has connections of its own on every transport, and uses them again', async (t) => {
      const { fairlead, origins } = await start(t, fastPath);
      const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect({ port: fairlead.port })));
      t.after(() => clients.forEach((client) => client.destroy()));
      for (const { name, proxyProtocol } of UPSTREAMS) {
        const connections = new Map<RawClient, number>();
        for (let round = 0; round < 3; round += 1) {
          for (const client of clients) {
            const { connection, header } = await ask(client, name);
            assert.equal(connections.get(client) ?? connection, connection, `${name}: the same connection again`);
            connections.set(client, connection);
            const destinationPort = fairlead.port;
            const source = { kind: 'ip', source: '127.0.0.1', sourcePort: portOf(client.socket) };
            assert.deepEqual(header.addresses, { ...source, destination: '127.0.0.1', destinationPort }, name);
            assert.equal(header.version, proxyProtocol.includes('v1') ? 1 : 2);
          }
        }
        assert.equal(new Set(connections.values()).size, clients.length, name);
        assert.deepEqual(origins.get(name)!.refused, []);
      }
    });

    test('an upgrade has a connection with its client', async (t) => {
      const { fairlead } = await start(t, fastPath);
      for (const name of ['plain', 'tls']) {
        const client = await RawClient.connect({ port: fairlead.port });
        client.send(`GET /${name} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
        assert.match(await client.readUntil('\r\n\r\n'), /^HTTP\/1\.1 101 /);
        const { header } = JSON.parse(await client.readToEnd()) as ProxiedAnswer;
        assert.equal(header.addresses!.sourcePort, portOf(client.socket), name);
      }
    });

    test('the connections of a client close with it', async (t) => {
      const { fairlead, origins } = await start(t, fastPath);
      const client = await RawClient.connect({ port: fairlead.port });
      for (const { name } of UPSTREAMS) await ask(client, name);
      const open = (): number => [...origins.values()].reduce((sum, origin) => sum + origin.openConnections, 0);
      assert.ok(open() >= UPSTREAMS.length);
      client.destroy();
      await eventually(() => open() === 0, 'the connections to the endpoints are closed');
    });
  });
}

test('values of the client follow in version 2: server name, TLS, request id', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-proxy-out-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { cert, key } = testCertificate(['a.test']);
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  const certificates = `[{ cert: ${join(folder, 'cert.pem')}, key: ${join(folder, 'key.pem')} }]`;
  const { fairlead } = await start(t, true, `, tls: { certificates: ${certificates} }`);
  const client = await RawClient.connect({ port: fairlead.port, tls: { servername: 'a.test' } });
  t.after(() => client.destroy());
  const { header } = await ask(client, 'plain');
  assert.deepEqual([header.alpn, header.authority, header.tls?.version], ['http/1.1', 'a.test', 'TLSv1.3']);
  assert.match(header.uniqueId, /^[\w-]{16,}$/);
  assert.equal((await ask(client, 'h2c')).header.alpn, 'h2');
  const chosen = (await ask(client, 'tls')).header;
  assert.deepEqual([chosen.alpn, chosen.uniqueId, chosen.authority], ['', '', 'a.test']);
});

test('behind a trusted proxy the client of X-Forwarded-For is named, without a port', async (t) => {
  const { fairlead } = await start(t, true, ', trustedProxies: [127.0.0.1]');
  const proxies = await Promise.all([1, 2].map(() => RawClient.connect({ port: fairlead.port })));
  t.after(() => proxies.forEach((proxy) => proxy.destroy()));
  const seen = new Map<string, Set<number>>();
  for (const proxy of [...proxies, ...proxies]) {
    for (const client of ['203.0.113.7', '2001:db8::7']) {
      const { connection, header } = await ask(proxy, 'plain', `X-Forwarded-For: ${client}\r\n`);
      assert.deepEqual([header.addresses!.source, header.addresses!.sourcePort], [client, 0]);
      seen.set(client, (seen.get(client) ?? new Set()).add(connection));
    }
  }
  assert.deepEqual(
    [...seen.values()].map(({ size }) => size),
    [1, 1],
    'one connection for each client',
  );
});

test('heartbeats are the own connections of Fairlead', async (t) => {
  const plain = await ProxiedOrigin.start(t, 'http');
  const text = await ProxiedOrigin.start(t, 'https');
  const connect = await ProxiedOrigin.start(t, 'http');
  await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ match: { path: /a }, upstream: a }, { match: { path: /b }, upstream: b }, { upstream: c }]
upstreams:
  a: { endpoints: ["http://127.0.0.1:${plain.port}"], proxyProtocol: v2, health: { heartbeat: { path: / } } }
  b: { endpoints: ["https://127.0.0.1:${text.port}"], proxyProtocol: v1, tls: { verify: false }, health: { heartbeat: { path: / } } }
  c: { endpoints: ["http://127.0.0.1:${connect.port}"], proxyProtocol: v2, health: { heartbeat: { type: tcp } } }
`,
  );
  await eventually(() => [plain, text, connect].every(({ headers }) => headers.length > 0), 'a heartbeat of each');
  assert.deepEqual([plain.headers[0]!.isLocal, connect.headers[0]!.isLocal], [true, true]);
  assert.deepEqual([text.headers[0]!.version, text.headers[0]!.addresses], [1, null]);
});
