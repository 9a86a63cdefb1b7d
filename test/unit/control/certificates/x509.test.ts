// Certificates and signing requests that Fairlead makes, read back by OpenSSL. Thread: main.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { after, describe, test } from 'node:test';
import {
  integer,
  objectIdentifier,
  octetString,
  readElements,
  sequence,
  time,
} from '../../../../control/certificates/der.ts';
import {
  issueCertificate,
  issueRoot,
  newPrivateKey,
  pemOfKey,
  renewalIdentifier,
  signingRequest,
} from '../../../../control/certificates/x509.ts';
import { testCertificate } from '../../../support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-x509-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const NOW = Date.now();
const DAY_MS = 86_400_000;

function openssl(file: string, content: string | Buffer, ...args: string[]): string {
  writeFileSync(join(folder, file), content);
  return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('DER', () => {
  for (const [title, bytes, hex] of [
    ['a positive integer whose first bit is set', integer(Buffer.from([0x80])), '02020080'],
    ['an integer with leading zeros', integer(Buffer.from([0, 0, 5])), '020105'],
    ['zero', integer(Buffer.from([0])), '020100'],
    ['an object identifier with large arcs', objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['a time before 2050', time(Date.UTC(2049, 11, 31, 23, 59, 59)), '170d3439313233313233353935395a'],
    ['a time from 2050 on', time(Date.UTC(2050, 0, 1)), '180f32303530303130313030303030305a'],
    ['a length of two bytes', octetString(Buffer.alloc(300)).subarray(0, 4), '0482012c'],
  ] as const) {
    test(title, () => assert.equal(bytes.toString('hex'), hex));
  }

  test('elements are read back, and malformed ones are none', () => {
    const written = sequence(integer(Buffer.from([7])), octetString(Buffer.alloc(200, 1)));
    const [outer] = readElements(written);
    assert.deepEqual(
      readElements(outer!.content).map(({ tag, content }) => [tag, content.length]),
      [
        [2, 1],
        [4, 200],
      ],
    );
    for (let length = 1; length < written.length; length++) {
      assert.deepEqual(readElements(written.subarray(0, length)), [], `cut at ${length}`);
    }
    assert.deepEqual(readElements(Buffer.from('0480', 'hex')), [], 'indefinite length');
  });
});

for (const type of ['ecdsa', 'rsa'] as const) {
  describe(type, () => {
    test('a signing request has the names, and its signature verifies', async () => {
      const request = signingRequest(['a.example.com', '*.b.example.com'], await newPrivateKey(type));
      const text = openssl(
        'request.der',
        request,
        'req',
        '-inform',
        'der',
        '-in',
        'request.der',
        '-verify',
        '-noout',
        '-text',
      );
      assert.match(text, /DNS:a\.example\.com, DNS:\*\.b\.example\.com/);
    });

    test('a certificate of the internal CA verifies strictly, for names and addresses', async () => {
      const [rootKey, key] = [await newPrivateKey(type), await newPrivateKey(type)];
      const validity = { notBeforeMs: NOW, notAfterMs: NOW + DAY_MS };
      const root = issueRoot({ key: rootKey, ...validity }, 'Test root');
      const issuer = { certificate: new X509Certificate(root), key: rootKey };
      const leaf = issueCertificate({
        names: ['localhost', '127.0.0.1', '::1', '2001:db8::5:0'],
        key,
        issuer,
        ...validity,
      });
      writeFileSync(join(folder, 'root.pem'), root);
      assert.match(openssl('leaf.pem', leaf, 'verify', '-x509_strict', '-CAfile', 'root.pem', 'leaf.pem'), /OK/);
      const read = new X509Certificate(leaf);
      for (const address of ['127.0.0.1', '::1', '2001:db8::5:0']) assert.equal(read.checkIP(address), address);
      assert.ok(read.checkPrivateKey(key));
      assert.match(pemOfKey(key), /^-----BEGIN PRIVATE KEY-----/);
    });
  });
}

test('a certificate of a tls-alpn-01 challenge has the digest of the key authorization in a critical extension', async () => {
  const key = await newPrivateKey('ecdsa');
  const validity = { notBeforeMs: NOW, notAfterMs: NOW + DAY_MS };
  const cert = issueCertificate({
    names: ['a.test'],
    key,
    commonName: 'a.test',
    keyAuthorization: 'token.thumb',
    ...validity,
  });
  const text = openssl('alpn.pem', cert, 'x509', '-in', 'alpn.pem', '-noout', '-text');
  assert.match(text, /1\.3\.6\.1\.5\.5\.7\.1\.31: critical\s+\. .*|1\.3\.6\.1\.5\.5\.7\.1\.31: critical/);
});

test('the identifier of a certificate for renewal information is the key identifier of its issuer and its serial number', () => {
  // The example of RFC 9773 section 4.1.
  const example = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDIDAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
`;
  assert.equal(renewalIdentifier(example), 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyA');
  assert.notEqual(renewalIdentifier(testCertificate(['a.test']).cert), null);
});
