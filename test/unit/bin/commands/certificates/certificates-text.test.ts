// The table of `fairlead certificates`. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateReply } from '../../../../../admin/api/certificate-schemas.ts';
import { certificateLines } from '../../../../../bin/commands/certificates/certificates-text.ts';

const NOW = Date.UTC(2026, 10, 30, 12);

const FILE: CertificateReply = {
  names: ['a.example.com', 'b.example.com', 'c.example.com', 'd.example.com'],
  listener: 'web',
  source: 'file',
  origin: null,
  file: '/etc/a.pem',
  state: 'in-use',
  issuer: 'C=US, O=Test, CN=Test CA',
  serial: '01',
  fingerprint: 'AA',
  keyType: 'ec',
  notBefore: '2026-09-01T00:00:00.000Z',
  notAfter: '2026-11-29T12:00:00.000Z',
  authority: null,
  challenge: null,
  nextRenewal: null,
  failures: 0,
  nextAttempt: null,
  error: 'a.key does not match the certificate',
};

const ISSUED: CertificateReply = {
  ...FILE,
  names: ['shop.example.com'],
  source: 'acme',
  notAfter: '2027-01-29T12:00:00.000Z',
  nextRenewal: '2026-11-30T20:00:00.000Z',
  authority: 'ca.test',
  challenge: 'http-01',
  error: null,
};

test('names, source, issuer, times from now and state in columns', () => {
  const waiting: CertificateReply = {
    ...ISSUED,
    names: ['new.example.com'],
    listener: null,
    state: 'waiting',
    issuer: null,
    notAfter: null,
    nextRenewal: null,
    failures: 2,
    nextAttempt: '2026-11-30T12:10:00.000Z',
    error: 'CA is unreachable\u001b[31m',
  };
  assert.deepEqual(
    certificateLines([FILE, ISSUED, waiting], NOW).map((line) => line.split(/ {2,}/)),
    [
      ['NAMES', 'LISTENER', 'SOURCE', 'ISSUER', 'EXPIRES', 'RENEWAL', 'STATE'],
      [
        'a.example.com, b.example.com, c.example.com and 1 more',
        'web',
        'file',
        'Test CA',
        '2026-11-29, 24 h ago',
        '-',
        'in-use; newer file not used: a.key does not match the certificate',
      ],
      ['shop.example.com', 'web', 'ca.test, http-01', 'Test CA', '2027-01-29, in 60 d', '2026-11-30, in 8 h', 'in-use'],
      [
        'new.example.com',
        '-',
        'ca.test, http-01',
        '-',
        '-',
        '-',
        'waiting; 2 failed, next attempt 2026-11-30T12:10:00.000Z: CA is unreachable?[31m',
      ],
    ],
  );
});

test('without TLS there is nothing to list', () => {
  assert.deepEqual(certificateLines([], NOW), ['no certificates: no listener has TLS']);
});
