// PROXY protocol headers as sent: byte for byte. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeProxyHeader } from '../../../../net/proxy-protocol/decode.ts';
import {
  encodeProxyV1,
  encodeProxyV2,
  LOCAL_HEADER,
  type ProxyHeaderV2,
} from '../../../../net/proxy-protocol/encode.ts';
import type { ProxiedAddresses } from '../../../../net/proxy-protocol/header.ts';

const EMPTY: ProxyHeaderV2 = { ...LOCAL_HEADER, isLocal: false };
const SIGNATURE = '0d0a0d0a000d0a515549540a';

function ends(source: string, destination: string): ProxiedAddresses {
  return { kind: 'ip', source, sourcePort: 1000, destination, destinationPort: 443 };
}

function hex(header: Partial<ProxyHeaderV2>): string {
  return encodeProxyV2({ ...EMPTY, ...header }).toString('hex');
}

describe('version 1', () => {
  const cases: readonly [string, ProxiedAddresses | null, string][] = [
    ['IPv4', ends('192.0.2.1', '192.0.2.2'), 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n'],
    ['IPv6', ends('2001:DB8:0:0::1', '::1'), 'PROXY TCP6 2001:db8::1 ::1 1000 443\r\n'],
    ['mixed families', ends('192.0.2.1', '::1'), 'PROXY TCP6 ::ffff:c000:201 ::1 1000 443\r\n'],
    ['an IPv4-mapped address', ends('::ffff:192.0.2.1', '192.0.2.2'), 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n'],
    ['no address', null, 'PROXY UNKNOWN\r\n'],
    ['a client without address', ends('', '192.0.2.2'), 'PROXY UNKNOWN\r\n'],
    ['Unix sockets', { ...ends('/a', '/b'), kind: 'unix' }, 'PROXY UNKNOWN\r\n'],
  ];
  for (const [name, addresses, line] of cases) {
    test(name, () => assert.equal(encodeProxyV1(addresses).toString('latin1'), line));
  }

  test('the longest line has at most 107 bytes', () => {
    const address = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
    const longest = { ...ends(address, address), sourcePort: 65_535, destinationPort: 65_535 };
    assert.equal(encodeProxyV1(longest).length, 104);
  });
});

describe('version 2', () => {
  test('LOCAL', () => assert.equal(encodeProxyV2(LOCAL_HEADER).toString('hex'), `${SIGNATURE}20000000`));

  test('LOCAL carries no address and no TLV', () => {
    const header = hex({ isLocal: true, addresses: ends('192.0.2.1', '192.0.2.2'), alpn: 'h2' });
    assert.equal(header, `${SIGNATURE}20000000`);
  });

  test('IPv4', () => {
    const expected = `${SIGNATURE}2111000cc0000201c000020203e801bb`;
    assert.equal(hex({ addresses: ends('192.0.2.1', '192.0.2.2') }), expected);
  });

  test('mixed families are sent as IPv6', () => {
    const expected = `${SIGNATURE}2121002400000000000000000000ffffc00002010000000000000000000000000000000103e801bb`;
    assert.equal(hex({ addresses: ends('192.0.2.1', '::1') }), expected);
  });

  test('without a client address the family is UNSPEC, and TLVs follow', () => {
    const unspec = `${SIGNATURE}210000050100026832`;
    assert.equal(hex({ alpn: 'h2' }), unspec);
    assert.equal(hex({ addresses: ends('', '::1'), alpn: 'h2' }), unspec);
  });

  test('Unix paths are padded', () => {
    const header = encodeProxyV2({ ...EMPTY, addresses: { ...ends('/a', '/bc'), kind: 'unix' } });
    assert.equal(header.length, 16 + 216);
    assert.equal(header[13], 0x31);
    assert.deepEqual(header.subarray(16 + 108, 16 + 112), Buffer.from('/bc\0'));
  });

  test('TLS of the client', () => {
    const tls = {
      isTls: true,
      version: 'TLSv1.3',
      cipher: '',
      commonName: '',
      hasCertificate: false,
      isVerified: false,
    };
    assert.equal(hex({ tls }), `${SIGNATURE}2100001220000f0100000000210007544c5376312e33`);
  });

  test('a certificate that was not verified', () => {
    const tls = { isTls: true, version: '', cipher: '', commonName: 'a', hasCertificate: true, isVerified: false };
    assert.equal(hex({ tls }), `${SIGNATURE}2100000c200009070000000122000161`);
  });

  test('a value that is too long is left out', () => {
    assert.equal(hex({ uniqueId: 'x'.repeat(129), authority: 'y'.repeat(1025) }), `${SIGNATURE}21000000`);
  });

  test('a checksum is accepted, and found wrong when any bit is changed', () => {
    const header = encodeProxyV2({ ...EMPTY, addresses: ends('192.0.2.1', '192.0.2.2'), hasChecksum: true });
    assert.equal(decodeProxyHeader(header).kind, 'complete');
    for (let at = 16; at < 28; at += 1) {
      const changed = Buffer.from(header);
      changed[at]! ^= 0x10;
      assert.deepEqual(decodeProxyHeader(changed), { kind: 'refused', cause: 'wrong checksum (CRC32C)' });
    }
  });
});
