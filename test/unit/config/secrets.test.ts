// Warnings about world-readable secrets. Thread: main.

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../../config/load.ts';
import { privateCertificates } from '../../support/private-certificates.ts';

const DIRECTORY = privateCertificates();
const KEY = path.join(DIRECTORY, 'certificates/shop.example.com.key');

function warningsOf(text: string, mode: number): string[] {
  const file = path.join(DIRECTORY, 'fairlead.yaml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  const result = loadConfig(file, { SECRET: 'sixteen letters and more' });
  assert.ok(result.ok, JSON.stringify(result));
  return result.warnings.map(({ code, span, path: place }) => `${code} ${span.line} ${place}`);
}

const TLS = `listeners:
  - name: web
    bind: 127.0.0.1:0
    tls:
      certificates:
        - cert: certificates/shop.example.com.pem
          key: certificates/shop.example.com.key
routes: [{ respond: {} }]
`;

test('a world-readable private key causes a warning', () => {
  for (const mode of [0o600, 0o640, 0o400]) {
    chmodSync(KEY, mode);
    assert.deepEqual(warningsOf(TLS, 0o644), []);
  }
  chmodSync(KEY, 0o644);
  assert.deepEqual(warningsOf(TLS, 0o644), ['FL9015 7 listeners[0].tls.certificates[0].key']);
});

const STICKY = `listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [http://a, http://b]
    health: { heartbeat: {} }
    sticky:
      cookie: lb
      SECRETS
`;

test('a literal secret in a world-readable file causes a warning', () => {
  const written = STICKY.replace('SECRETS', 'secret: sixteen letters and more');
  assert.deepEqual(warningsOf(written, 0o600), []);
  assert.deepEqual(warningsOf(written, 0o640), []);
  assert.deepEqual(warningsOf(written, 0o644), ['FL9015 9 upstreams.app.sticky.secret']);
  const several = STICKY.replace('SECRETS', 'secrets: ["${SECRET}", sixteen letters and others]');
  assert.deepEqual(warningsOf(several, 0o644), ['FL9015 9 upstreams.app.sticky.secrets[1]']);
});

test('a secret from the environment is accepted in any file', () => {
  for (const value of ['"${SECRET}"', '${SECRET}']) {
    assert.deepEqual(warningsOf(STICKY.replace('SECRETS', `secret: ${value}`), 0o644), []);
  }
});
