// PROXY protocol headers as received: every rule of the specification, as a table of headers and outcomes, and each header in
// every split into pieces. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32c } from '../../../../net/proxy-protocol/crc32c.ts';
import { decodeProxyHeader } from '../../../../net/proxy-protocol/decode.ts';
import { encodeProxyV2, LOCAL_HEADER } from '../../../../net/proxy-protocol/encode.ts';
import type { DecodedProxyHeader } from '../../../../net/proxy-protocol/header.ts';
import { ACCEPTED, INCOMPLETE, REFUSED } from '../../../support/proxy-headers.ts';

/** A short text of an outcome: the client, `local`, `incomplete`, or the cause of a refusal. */
function outcome(decoded: DecodedProxyHeader): string {
  if (decoded.kind === 'incomplete') return 'incomplete';
  if (decoded.kind === 'refused') return decoded.cause;
  const { addresses, isLocal } = decoded.header;
  if (isLocal) return 'local';
  if (addresses === null) return 'no address';
  const { source, sourcePort, destination, destinationPort } = addresses;
  return `${source} ${sourcePort} -> ${destination} ${destinationPort}`;
}

describe('an accepted header', () => {
  for (const { name, bytes, expected } of ACCEPTED) {
    test(name, () => {
      const payload = Buffer.from('GET / HTTP/1.1\r\n');
      const decoded = decodeProxyHeader(Buffer.concat([bytes, payload]));
      assert.equal(outcome(decoded), expected);
      assert.equal(decoded.kind === 'complete' && decoded.sizeBytes, bytes.length);
    });

    test(`${name}: every shorter piece of it is incomplete`, () => {
      const shorter = Array.from(
        { length: bytes.length },
        (_, size) => decodeProxyHeader(bytes.subarray(0, size)).kind,
      );
      assert.deepEqual(new Set(shorter), new Set(['incomplete']));
    });
  }
});

describe('a refused header', () => {
  for (const { name, bytes, expected } of REFUSED) {
    test(name, () => assert.equal(outcome(decodeProxyHeader(bytes)), expected));

    test(`${name}: no piece of it is accepted`, () => {
      for (let size = 0; size < bytes.length; size += 1) {
        assert.notEqual(decodeProxyHeader(bytes.subarray(0, size)).kind, 'complete', `the first ${size} bytes`);
      }
    });
  }
});

describe('an unfinished header', () => {
  for (const { name, bytes } of INCOMPLETE) {
    test(name, () => assert.equal(decodeProxyHeader(bytes).kind, 'incomplete'));
  }
});

test('a header is read from an offset, and nothing behind the end', () => {
  const local = encodeProxyV2(LOCAL_HEADER);
  const bytes = Buffer.concat([Buffer.from('xx'), local, Buffer.from('GET')]);
  assert.equal(outcome(decodeProxyHeader(bytes, 2)), 'local');
  assert.equal(decodeProxyHeader(bytes, 2, 2 + local.length - 1).kind, 'incomplete');
  assert.equal(decodeProxyHeader(bytes, bytes.length).kind, 'incomplete');
});

test('CRC32C of the check string of RFC 3720 is the published one', () => {
  assert.equal(crc32c(Buffer.from('123456789'), 0, 9), 0xe306_9283);
  assert.equal(crc32c(Buffer.alloc(32), 0, 32), 0x8a91_36aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff), 0, 32), 0x62a8_ab43);
});

test('values of the TLVs are decoded', () => {
  const tls = {
    isTls: true,
    version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    commonName: 'client',
    hasCertificate: true,
    isVerified: true,
  };
  const values = { alpn: 'h2', authority: 'shop.example', uniqueId: 'a\u00ff', tls };
  const decoded = decodeProxyHeader(encodeProxyV2({ ...LOCAL_HEADER, isLocal: false, ...values, hasChecksum: true }));
  assert.deepEqual(decoded.kind === 'complete' && decoded.header, {
    version: 2,
    isLocal: false,
    addresses: null,
    ...values,
  });
});
