// Versions and cipher suites that listeners accept, by profile and settings, as openssl s_client sees them. Thread: main.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TLS_PROFILES } from '../../../../config/values/tls-profiles.ts';
import type { TlsSnapshot } from '../../../../core/snapshot/listener.ts';
import { Bench } from '../../../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { opensslClient } from '../../../support/openssl-client.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const certificates = [testCertificate(['both.test'], 'rsa'), testCertificate(['both.test'], 'ec')];

function profile(name: keyof typeof TLS_PROFILES): Partial<TlsSnapshot> {
  const { minVersion, ciphers, curves } = TLS_PROFILES[name];
  return { minVersion, ciphers: ciphers.join(':'), curves: curves.join(':') };
}

/** Settings, arguments of s_client, and the suite that is agreed on; '' for a failed handshake. */
const ROWS: readonly (readonly [keyof typeof SETTINGS, string, string])[] = [
  ['intermediate', '-tls1', ''],
  ['intermediate', '-tls1_1', ''],
  ['intermediate', '-tls1_2', 'ECDHE-'],
  ['intermediate', '-tls1_3', 'TLS_'],
  ['intermediate', '-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['intermediate', '-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['intermediate', '-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['intermediate', '-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['intermediate', '-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['intermediate', '-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['intermediate', '-tls1_2 -cipher ECDHE-RSA-AES128-SHA256', ''],
  ['intermediate', '-tls1_2 -cipher ECDHE-RSA-AES256-SHA', ''],
  ['intermediate', '-tls1_2 -cipher AES128-GCM-SHA256', ''],
  ['intermediate', '-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256', ''],
  ['intermediate', '-tls1_2 -cipher aNULL:@SECLEVEL=0', ''],
  ['intermediate', '-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ['intermediate', '-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
  ['intermediate', '-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
  ['intermediate', '-tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256', ''],
  ['intermediate', '-curves X25519', 'TLS_'],
  ['intermediate', '-curves P-256', 'TLS_'],
  ['intermediate', '-curves P-384', 'TLS_'],
  ['intermediate', '-curves P-521', ''],
  ['modern', '-tls1_2', ''],
  ['modern', '-tls1_3', 'TLS_'],
  ['oldest', '-tls1_3', ''],
  ['oldest', '-tls1_2', 'ECDHE-'],
  ['own', '-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['own', '-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256', ''],
  ['own', '-tls1_2 -curves P-384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['own', '-tls1_2 -curves X25519', ''],
];

const SETTINGS = {
  intermediate: profile('intermediate'),
  modern: profile('modern'),
  oldest: { ...profile('intermediate'), maxVersion: 'TLSv1.2' },
  own: { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384', curves: 'secp384r1', hasOwnCiphers: true },
} as const satisfies Readonly<Record<string, Partial<TlsSnapshot>>>;

describe('a listener with the settings', () => {
  const benches = new Map<string, Bench>();

  before(async () => {
    for (const [name, settings] of Object.entries(SETTINGS)) {
      const tls: TlsSnapshot = { certificates, minVersion: 'TLSv1.2', http2: true, ...settings };
      const bench = await new Bench({ listener: { tls } }).start();
      bench.starter.answerAll((exchange) => exchange.answer());
      benches.set(name, bench);
    }
  });

  after(async () => {
    for (const bench of benches.values()) await bench.stop();
  });

  for (const [name, args, suite] of ROWS) {
    test(`${name} ${suite === '' ? 'refuses' : 'accepts'} ${args}`, async () => {
      const { port } = benches.get(name)!;
      const { isConnected, cipher, text } = await opensslClient(port, args.split(' '), REQUEST);
      assert.equal(isConnected, suite !== '', text);
      if (suite !== '') assert.ok(cipher.startsWith(suite), cipher);
    });
  }
});

test('with strictSni only clients that name a certificate are served', async () => {
  const tls: TlsSnapshot = {
    certificates: [testCertificate(['first.test']), testCertificate(['*.wild.test'])],
    minVersion: 'TLSv1.2',
    http2: true,
    isStrict: true,
  };
  const bench = await new Bench({ listener: { tls } }).start();
  bench.starter.answerAll((exchange) => exchange.answer());
  try {
    for (const [args, isServed] of [
      [['-servername', 'first.test'], true],
      [['-servername', 'a.wild.test'], true],
      [['-servername', 'other.test'], false],
      [['-noservername'], false],
    ] as const) {
      const { isConnected, text } = await opensslClient(bench.port, args, REQUEST);
      assert.equal(isConnected, isServed, text);
      if (!isServed) assert.match(text, /unrecognized name/);
    }
    assert.equal(bench.count('tlsFailedName'), 2);
  } finally {
    await bench.stop();
  }
});
