// Listeners behind a balancer that sends PROXY protocol headers: the client that the header names, on every protocol and path;
// refusals; limits. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { ClientConnection } from '../../../../core/exchange-contract.ts';
import type { ListenerSnapshot, ProxyProtocolSnapshot, TlsSnapshot } from '../../../../core/snapshot/listener.ts';
import { encodeProxyV1, encodeProxyV2, LOCAL_HEADER } from '../../../../net/proxy-protocol/encode.ts';
import type { ProxiedAddresses, ProxiedTls } from '../../../../net/proxy-protocol/header.ts';
import { Bench, type BenchOptions } from '../../../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { sharedParts } from '../../../support/http1-parts.ts';
import { REFUSED } from '../../../support/proxy-headers.ts';
import { type ProxyRelayOptions, startProxyRelay } from '../../../support/proxy-relay.ts';
import { RawClient } from '../../../support/raw-client.ts';

const PROXY_PROTOCOL: ProxyProtocolSnapshot = { trusted: ['127.0.0.1/32'], others: 'close', timeoutMs: 10_000 };
const TLS: TlsSnapshot = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true };
/** The ClientHello decides about the certificate, so that it is read before the handshake. */
const CHOSEN: TlsSnapshot = { ...TLS, certificates: [testCertificate(['a.test']), testCertificate(['b.test'])] };
const ENDS: ProxiedAddresses = {
  kind: 'ip',
  source: '203.0.113.7',
  sourcePort: 4242,
  destination: '198.51.100.1',
  destinationPort: 443,
};
const V1 = encodeProxyV1(ENDS);
const V2 = encodeProxyV2({ ...LOCAL_HEADER, isLocal: false, addresses: ENDS, uniqueId: 'one', hasChecksum: true });
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

type Options = Pick<BenchOptions, 'limits' | 'timeouts'> & {
  readonly listener?: Partial<ListenerSnapshot>;
  readonly isFast?: boolean;
  readonly proxyProtocol?: Partial<ProxyProtocolSnapshot>;
};

/** A listener that answers each request with the client that it saw. */
async function start(t: TestContext, { isFast = true, proxyProtocol, listener, ...rest }: Options = {}) {
  const settings = { proxyProtocol: { ...PROXY_PROTOCOL, ...proxyProtocol }, ...listener };
  const bench = await new Bench({ ...rest, listener: settings, ...(isFast ? { fast: sharedParts() } : {}) }).start();
  bench.starter.answerAll((exchange) => exchange.answer(described(exchange.client.connection)));
  t.after(() => bench.stop());
  return bench;
}

function described({ peerAddress, peerPort, localPort, isTls, isTrusted }: ClientConnection): string {
  return `${peerAddress}:${peerPort} to ${localPort}${isTls ? ' over TLS' : ''}${isTrusted ? ', trusted' : ''}`;
}

async function openRaw(t: TestContext, bench: Bench, localAddress = '127.0.0.1'): Promise<RawClient> {
  const options = { port: bench.port, host: '127.0.0.1', localAddress, allowHalfOpen: true };
  const client = new RawClient(connect(options));
  t.after(() => client.destroy());
  return client;
}

/** The client that a request after `header` is seen to come from. */
async function seenBehind(t: TestContext, bench: Bench, header: Uint8Array): Promise<string> {
  const client = await openRaw(t, bench);
  client.send(Buffer.concat([header, Buffer.from(GET)]));
  return (await client.readResponse()).body;
}

async function untilClosed(bench: Bench): Promise<void> {
  while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function byHttp1(port: number, tls: boolean): Promise<string> {
  const client = await RawClient.connect({
    port,
    ...(tls ? { tls: { ALPNProtocols: ['http/1.1'], servername: 'b.test' } } : {}),
  });
  client.send(GET);
  const first = (await client.readResponse()).body;
  client.send(GET);
  assert.equal((await client.readResponse()).body, first, 'the second request of the connection');
  client.destroy();
  return first;
}

async function byHttp2(port: number, tls: boolean): Promise<string> {
  const session = connectHttp2(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  let body = '';
  for await (const chunk of session.request({ ':path': '/' }).setEncoding('utf8')) body += chunk;
  session.destroy();
  return body;
}

const PLAIN = '203.0.113.7:4242 to 443';
const SECURE = `${PLAIN} over TLS`;

interface Protocol {
  readonly name: string;
  readonly listener: Partial<ListenerSnapshot>;
  readonly expected: string;
  readonly request: (port: number) => Promise<string>;
}

const PROTOCOLS: readonly Protocol[] = [
  { name: 'HTTP/1.1', listener: {}, expected: PLAIN, request: (port) => byHttp1(port, false) },
  { name: 'HTTP/2 without TLS', listener: { http2: true }, expected: PLAIN, request: (port) => byHttp2(port, false) },
  {
    name: 'HTTP/1.1 beside HTTP/2',
    listener: { http2: true },
    expected: PLAIN,
    request: (port) => byHttp1(port, false),
  },
  { name: 'HTTP/1.1 over TLS', listener: { tls: TLS }, expected: SECURE, request: (port) => byHttp1(port, true) },
  { name: 'TLS by server name', listener: { tls: CHOSEN }, expected: SECURE, request: (port) => byHttp1(port, true) },
  { name: 'HTTP/2 over TLS', listener: { tls: TLS }, expected: SECURE, request: (port) => byHttp2(port, true) },
];

for (const isFast of [true, false]) {
  describe(`fastPath: ${isFast}`, () => {
    for (const { name, listener, expected, request } of PROTOCOLS) {
      for (const [version, header] of [
        [1, V1],
        [2, V2],
      ] as const) {
        test(`${name}: the client is the one of a version ${version} header, in any pieces`, async (t) => {
          const bench = await start(t, { isFast, listener });
          const target = { port: bench.port, host: '127.0.0.1' };
          for (const pieces of ['joined', 'apart', 'bytewise'] as const satisfies ProxyRelayOptions['pieces'][]) {
            const port = await startProxyRelay(t, { target, header, pieces });
            assert.equal(await request(port), expected, pieces);
          }
        });
      }
    }

    test('Unix listeners, with TLS too: each connection has its own client', async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'fairlead-proxy-'));
      t.after(() => rmSync(folder, { recursive: true }));
      for (const isTls of [false, true]) {
        const path = join(folder, isTls ? 'tls' : 'plain');
        await start(t, { isFast, listener: { bind: { kind: 'unix', path }, tls: isTls ? CHOSEN : null } });
        const seen = await Promise.all(
          [1, 2, 3, 4].map(async (sourcePort) => {
            const header = encodeProxyV1({ ...ENDS, sourcePort });
            return byHttp1(await startProxyRelay(t, { target: { path }, header, pieces: 'joined' }), isTls);
          }),
        );
        const expected = [1, 2, 3, 4].map((port) => `203.0.113.7:${port} to 443${isTls ? ' over TLS' : ''}`);
        assert.deepEqual(seen, expected);
      }
    });
  });
}

describe('headers without a client', () => {
  for (const [name, header] of [
    ['LOCAL', encodeProxyV2(LOCAL_HEADER)],
    ['UNSPEC', encodeProxyV2({ ...LOCAL_HEADER, isLocal: false })],
    ['UNKNOWN', encodeProxyV1(null)],
  ] as const) {
    test(`${name}: the balancer itself is the client, and has no limit`, async (t) => {
      const bench = await start(t, { limits: { connectionsPerClient: 1 } });
      for (let count = 0; count < 3; count += 1) {
        const expected = new RegExp(`^127\\.0\\.0\\.1:\\d+ to ${bench.port}$`);
        assert.match(await seenBehind(t, bench, header), expected);
      }
      assert.equal(bench.openConnections, 3);
    });
  }

  test('a client on a Unix socket has no address', async (t) => {
    const addresses: ProxiedAddresses = { ...ENDS, kind: 'unix', source: '/a', sourcePort: 0, destinationPort: 0 };
    const bench = await start(t);
    const header = encodeProxyV2({ ...LOCAL_HEADER, isLocal: false, addresses });
    assert.equal(await seenBehind(t, bench, header), `:0 to ${bench.port}`);
  });
});

test('TLS that the balancer has terminated counts as TLS of the client', async (t) => {
  const bench = await start(t);
  const tls: ProxiedTls = {
    isTls: true,
    version: 'TLSv1.3',
    cipher: '',
    commonName: '',
    hasCertificate: false,
    isVerified: false,
  };
  const header = (isTls: boolean): Buffer =>
    encodeProxyV2({ ...LOCAL_HEADER, isLocal: false, addresses: ENDS, tls: { ...tls, isTls } });
  assert.equal(await seenBehind(t, bench, header(true)), SECURE);
  assert.equal(await seenBehind(t, bench, header(false)), PLAIN);
});

test('the client of the header is a trusted proxy by its own address alone', async (t) => {
  const bench = await start(t, { listener: { trustedProxies: ['127.0.0.1', '198.18.0.0/15'] } });
  assert.equal(await seenBehind(t, bench, V1), PLAIN);
  const addresses = { ...ENDS, source: '198.18.0.1' };
  assert.equal(await seenBehind(t, bench, encodeProxyV1(addresses)), '198.18.0.1:4242 to 443, trusted');
});

test('limits.connectionsPerClient counts the clients of the headers', async (t) => {
  const bench = await start(t, { limits: { connectionsPerClient: 1 } });
  const behind = async (source: string): Promise<RawClient> => {
    const client = await openRaw(t, bench);
    client.send(Buffer.concat([encodeProxyV1({ ...ENDS, source }), Buffer.from(GET)]));
    await client.readResponse();
    return client;
  };
  const first = await behind('203.0.113.7');
  const other = await behind('203.0.113.8');
  await behind('203.0.113.7');
  await first.whenEnded();
  assert.equal(bench.count('clientConnectionsEvicted'), 1);
  other.send(GET);
  assert.equal((await other.readResponse()).status, 200);
});

describe('refusals', () => {
  test('every malformed header closes the connection, and is counted', async (t) => {
    const bench = await start(t);
    for (const { name, bytes } of REFUSED) {
      const client = await openRaw(t, bench);
      client.send(bytes);
      client.send(GET);
      await client.whenEnded();
      assert.equal(client.unread, '', name);
    }
    assert.equal(bench.count('proxyHeadersRefused'), REFUSED.length);
    assert.equal(bench.starter.begun, 0);
    assert.equal(bench.logged.length, 1, 'one line in ten seconds');
    assert.equal(bench.logged[0]!.text, 'listener web closed a connection from 127.0.0.1: no PROXY protocol header');
    await untilClosed(bench);
  });

  test('connections from untrusted addresses are closed, whether they send a header or not', async (t) => {
    const bench = await start(t);
    for (const bytes of [V1, V2, Buffer.from(GET), Buffer.alloc(0)]) {
      const client = await openRaw(t, bench, '127.0.0.2');
      client.send(bytes);
      await client.whenEnded();
    }
    assert.deepEqual([bench.count('proxyPeersRefused'), bench.count('connectionsAccepted')], [4, 0]);
    assert.equal(bench.starter.begun, 0);
    assert.match(bench.logged[0]!.text, /from 127\.0\.0\.2: its address is not trusted to send PROXY/);
  });

  test('others: direct serves untrusted addresses without a header, and reads none from them', async (t) => {
    const bench = await start(t, { proxyProtocol: { others: 'direct' } });
    const direct = await openRaw(t, bench, '127.0.0.2');
    direct.send(GET);
    assert.match((await direct.readResponse()).body, /^127\.0\.0\.2:\d+ to \d+$/);
    const forging = await openRaw(t, bench, '127.0.0.2');
    forging.send(Buffer.concat([V1, Buffer.from(GET)]));
    assert.equal((await forging.readResponse()).status, 400);
    assert.equal(await seenBehind(t, bench, V1), PLAIN);
  });

  test('a header that is late closes the connection', async (t) => {
    const bench = await start(t, { proxyProtocol: { timeoutMs: 60 } });
    const silent = await openRaw(t, bench);
    const slow = await openRaw(t, bench);
    slow.send(V2.subarray(0, 20));
    await Promise.all([silent.whenEnded(), slow.whenEnded()]);
    assert.equal(bench.count('proxyHeadersRefused'), 2);
    assert.match(bench.logged[0]!.text, /no PROXY protocol header within 60 ms$/);
  });

  test('a connection that closes within its header is counted, and one that sends nothing is not', async (t) => {
    const bench = await start(t);
    for (const bytes of [V1.subarray(0, 10), Buffer.alloc(0)]) {
      const client = await openRaw(t, bench);
      client.send(bytes);
      client.finish();
      await client.whenEnded();
    }
    await untilClosed(bench);
    assert.equal(bench.count('proxyHeadersRefused'), 1);
  });
});

test('a drain closes connections whose header is due', async (t) => {
  const bench = await start(t);
  const client = await openRaw(t, bench);
  client.send(V1.subarray(0, 10));
  while (bench.openConnections === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await bench.downstream.drain(5000);
  assert.equal(bench.openConnections, 0);
});
