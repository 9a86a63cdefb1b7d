// Properties of the PROXY protocol's codec: what is encoded is decoded alike, and no bytes make the decoder throw, read beyond
// its input, or change its mind when more bytes arrive. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress } from '../../../core/address.ts';
import type { Random } from '../../../core/random.ts';
import { decodeProxyHeader } from '../../../net/proxy-protocol/decode.ts';
import { encodeProxyV1, encodeProxyV2, type ProxyHeaderV2 } from '../../../net/proxy-protocol/encode.ts';
import type { ProxiedAddresses } from '../../../net/proxy-protocol/header.ts';
import { ACCEPTED, REFUSED } from '../../support/proxy-headers.ts';
import { forSeeds } from '../../support/seeded-property.ts';

function below(random: Random, limit: number): number {
  return Math.floor(random.next() * limit);
}

function randomAddress(random: Random, version: 4 | 6): string {
  // Many zero groups, for every form of '::'.
  const group = (): number => (random.next() < 0.5 ? 0 : below(random, 0x1_0000));
  const words = Uint32Array.from({ length: 4 }, () => group() * 0x1_0000 + group());
  if (version === 6) words[0] = (words[0]! | 0x2000_0000) >>> 0;
  return formatAddress(version, words);
}

function randomAddresses(random: Random): ProxiedAddresses {
  const version = random.next() < 0.5 ? 4 : 6;
  return {
    kind: 'ip',
    source: randomAddress(random, version),
    sourcePort: below(random, 65_536),
    destination: randomAddress(random, version),
    destinationPort: below(random, 65_536),
  };
}

function randomText(random: Random, maxLength: number): string {
  return Array.from({ length: below(random, maxLength) }, () => String.fromCharCode(0x21 + below(random, 94))).join('');
}

function randomHeader(random: Random): ProxyHeaderV2 {
  const hasCertificate = random.next() < 0.5;
  const tls = {
    isTls: true,
    version: randomText(random, 9),
    cipher: randomText(random, 30),
    commonName: randomText(random, 60),
    hasCertificate,
    isVerified: hasCertificate && random.next() < 0.5,
  };
  return {
    isLocal: false,
    addresses: random.next() < 0.1 ? null : randomAddresses(random),
    alpn: randomText(random, 10),
    authority: randomText(random, 256),
    uniqueId: randomText(random, 129),
    tls: random.next() < 0.5 ? null : tls,
    hasChecksum: random.next() < 0.5,
  };
}

test('an IPv6 address is written as node:url does (RFC 5952)', () => {
  forSeeds(500, (random) => {
    const address = randomAddress(random, 6);
    assert.equal(`[${address}]`, new URL(`http://[${address}]`).hostname);
  });
});

test('a version 2 header is decoded as it was encoded', () => {
  forSeeds(500, (random) => {
    const { hasChecksum: _, ...header } = randomHeader(random);
    const bytes = encodeProxyV2({ ...header, hasChecksum: random.next() < 0.5 });
    const expected = { kind: 'complete', header: { version: 2, ...header }, sizeBytes: bytes.length };
    assert.deepEqual(decodeProxyHeader(Buffer.concat([bytes, Buffer.from('rest')])), expected);
  });
});

test('a version 1 header is decoded as it was encoded', () => {
  forSeeds(500, (random) => {
    const addresses = randomAddresses(random);
    const bytes = encodeProxyV1(addresses);
    const decoded = decodeProxyHeader(bytes);
    assert.deepEqual(decoded.kind === 'complete' && decoded.header.addresses, addresses);
    assert.equal(decoded.kind === 'complete' && decoded.sizeBytes, bytes.length);
  });
});

test('changed headers never throw, and more bytes never change a decision', () => {
  const corpus = [...ACCEPTED, ...REFUSED].map(({ bytes }) => bytes);
  forSeeds(2000, (random) => {
    const bytes = Buffer.from(corpus[below(random, corpus.length)]!);
    for (let change = below(random, 4); change >= 0; change -= 1)
      bytes[below(random, bytes.length)] = below(random, 256);
    const whole = decodeProxyHeader(bytes);
    if (whole.kind === 'complete') assert.ok(whole.sizeBytes <= bytes.length);
    const cut = decodeProxyHeader(bytes.subarray(0, below(random, bytes.length + 1)));
    if (cut.kind === 'refused') assert.equal(whole.kind, 'refused');
    if (cut.kind === 'complete') assert.deepEqual(cut, whole);
  });
});
