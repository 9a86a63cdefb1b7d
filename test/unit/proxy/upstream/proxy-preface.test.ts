// PROXY protocol headers to endpoints: what they contain, and which requests may share a connection. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientConnection, RequestOrigin } from '../../../../core/exchange-contract.ts';
import type { ProxyTlv } from '../../../../core/snapshot/upstream.ts';
import { decodeProxyHeader } from '../../../../net/proxy-protocol/decode.ts';
import type { ProxyHeader } from '../../../../net/proxy-protocol/header.ts';
import { ProxyPreface } from '../../../../proxy/upstream/proxy-preface.ts';
import { requestOrigin } from '../../../support/request-origin.ts';

const ALL: readonly ProxyTlv[] = ['alpn', 'authority', 'uniqueId', 'tls', 'checksum'];

function headerOf(parts: Partial<ClientConnection>, tlvs = ALL, version: 1 | 2 = 2): ProxyHeader {
  const decoded = decodeProxyHeader(new ProxyPreface({ version, tlvs }, 'h2').headerFor(requestOrigin(parts)));
  assert.equal(decoded.kind, 'complete');
  return (decoded as { header: ProxyHeader }).header;
}

describe('a header', () => {
  test('names both ends of the connection of the client', () => {
    const expected = {
      kind: 'ip',
      source: '192.0.2.1',
      sourcePort: 40_000,
      destination: '198.51.100.1',
      destinationPort: 8080,
    };
    assert.deepEqual(headerOf({}).addresses, expected);
    assert.deepEqual(headerOf({}, [], 1).addresses, expected);
  });

  test('has the chosen values', () => {
    const connection = { isTls: true, tlsVersion: 'TLSv1.3', serverName: 'a.test' };
    const all = headerOf(connection);
    assert.deepEqual([all.alpn, all.authority, all.uniqueId, all.tls?.version], ['h2', 'a.test', 'id-1', 'TLSv1.3']);
    const none = headerOf(connection, []);
    assert.deepEqual([none.alpn, none.authority, none.uniqueId, none.tls], ['', '', '', null]);
    assert.equal(headerOf({}).tls, null, 'a client without TLS');
  });

  test('has no address for a client on a Unix socket', () => {
    assert.equal(headerOf({ peerAddress: '' }).addresses, null);
    assert.equal(headerOf({ peerAddress: '' }, [], 1).addresses, null);
  });

  for (const [subject, commonName] of [
    ['CN=app,O=Example', 'app'],
    ['O=Example,CN=app', 'app'],
    [String.raw`O=a\,CN=forged,CN=a\,b`, 'a,b'],
    ['O=Example', ''],
  ] as const) {
    test(`names the certificate ${subject} as ${commonName || 'nothing'}`, () => {
      const certificate = { subject, issuer: '', san: '', serial: '', fingerprint: '', certificate: '' };
      const { tls } = headerOf({ isTls: true, certificate });
      assert.deepEqual([tls?.commonName, tls?.hasCertificate, tls?.isVerified], [commonName, true, true]);
    });
  }
});

describe('requests share a connection', () => {
  const preface = new ProxyPreface({ version: 2, tlvs: ALL }, 'http/1.1');
  const same = (first: RequestOrigin, second: RequestOrigin): boolean => preface.keyOf(first) === preface.keyOf(second);

  test('of one connection, whatever their ids', () => {
    assert.ok(same(requestOrigin(), { ...requestOrigin(), requestId: 'id-2' }));
  });

  for (const [name, parts] of Object.entries<Partial<ClientConnection>>({
    address: { peerAddress: '192.0.2.2' },
    port: { peerPort: 40_001 },
    'address that it connected to': { localAddress: '198.51.100.2' },
    'server name': { serverName: 'b.test' },
    'TLS version': { isTls: true, tlsVersion: 'TLSv1.2' },
  })) {
    test(`never with one of another ${name}`, () => assert.ok(!same(requestOrigin(), requestOrigin(parts))));
  }

  test('of one client behind trusted proxies, and never with another', () => {
    const behind = (clientAddress: string, peerPort: number): RequestOrigin => ({
      ...requestOrigin({ peerPort }),
      clientAddress,
    });
    assert.ok(same(behind('203.0.113.7', 1), behind('203.0.113.7', 2)));
    assert.ok(!same(behind('203.0.113.7', 1), behind('203.0.113.8', 1)));
  });
});
