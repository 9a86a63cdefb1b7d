// Policy security-headers: on responses and local replies, over TLS and without, and beside the endpoint's own.
// Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { securityHeaders } from '../../../../proxy/policies/security-headers.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';

const bench = (options: unknown) => testPolicy(securityHeaders as never, { securityHeaders: options });

test('true sends the usual fields, and HSTS over TLS alone', async () => {
  const plain = (await bench(true).request()).respond();
  assert.deepEqual(plain.fields, [
    'X-Content-Type-Options',
    'nosniff',
    'X-Frame-Options',
    'SAMEORIGIN',
    'Referrer-Policy',
    'strict-origin-when-cross-origin',
  ]);
  const tls = (await bench(true).request({ connection: { isTls: true } })).respond();
  assert.equal(tls.field('strict-transport-security'), 'max-age=31536000');
});

test('options choose the fields', async () => {
  const options = { hsts: 30, hstsSubdomains: true, nosniff: false, frame: 'deny', referrer: 'no-referrer' };
  const { fields } = (await bench(options).request({ connection: { isTls: true } })).respond();
  assert.deepEqual(fields, [
    'X-Frame-Options',
    'DENY',
    'Referrer-Policy',
    'no-referrer',
    'Strict-Transport-Security',
    'max-age=2592000; includeSubDomains',
  ]);
  const none = (await bench({ hsts: false, frame: 'allow' }).request({ connection: { isTls: true } })).respond();
  assert.equal(none.field('strict-transport-security') ?? none.field('x-frame-options'), undefined);
});

test("the endpoint's own fields win", async () => {
  const { fields } = (await bench(true).request()).respond({ fields: ['x-frame-options', 'DENY'] });
  assert.deepEqual(fields.slice(0, 2), ['x-frame-options', 'DENY']);
  assert.equal(fields.filter((name) => name.toLowerCase() === 'x-frame-options').length, 1);
});

test('local replies have them too', async () => {
  const exchange = await bench(true).request();
  const reply = exchange.localReply({ status: 503, cause: 'no-endpoint', fields: ['Referrer-Policy', 'origin'] });
  assert.equal(reply.field('x-content-type-options'), 'nosniff');
  assert.equal(reply.field('referrer-policy'), 'origin');
});
