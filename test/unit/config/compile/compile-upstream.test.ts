// Compiling upstreams: hedging, stickiness, backups, limits, heartbeats. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stickyOf } from '../../../../proxy/policies/sticky-cookie.ts';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import type { UpstreamSnapshot } from '../../../../core/snapshot/upstream.ts';
import { ENVIRONMENT, load } from '../golden-cases.ts';

function upstreamOf(settings: string, heartbeat = 'false'): UpstreamSnapshot {
  const result = load(`
listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [http://a, { url: http://b, backup: true }]
    health: { heartbeat: ${heartbeat} }
    ${settings}
`);
  assert.ok(result.ok, JSON.stringify(result));
  return compile(result.config, newTables({ endpoints: 8, upstreams: 4, listeners: 4 }), 1).upstreams[0]!;
}

test('only outlier detection is enabled by default', () => {
  const { hedge, policies, whenAllDown, slowStartMs, backupBelowPercent, limits, passive } = upstreamOf('');
  assert.deepEqual(
    { hedge, policies, whenAllDown, slowStartMs, backupBelowPercent, isAdaptive: limits.isAdaptive },
    { hedge: null, policies: [], whenAllDown: 'wait', slowStartMs: 0, backupBelowPercent: 0, isAdaptive: false },
  );
  assert.deepEqual(passive.outliers, { intervalMs: 10_000, minRequests: 100, minGap: 0.05, sigmas: 4 });
});

test('hedging starts after a delay or a percentile', () => {
  assert.deepEqual(upstreamOf('hedge: { after: 200ms }').hedge, { afterMs: 200, percentile: 0 });
  assert.deepEqual(upstreamOf('hedge: { after: p95 }').hedge, { afterMs: 0, percentile: 0.95 });
  assert.deepEqual(upstreamOf('hedge: { after: p99.9 }').hedge, { afterMs: 0, percentile: 0.999 });
});

test('policies and percentages', () => {
  assert.equal(upstreamOf('whenAllDown: try-all').whenAllDown, 'try-all');
  assert.equal(upstreamOf('whenAllDown: wait').whenAllDown, 'wait');
  assert.equal(upstreamOf('slowStart: 10s').slowStartMs, 10_000);
  assert.equal(upstreamOf('slowStart: none').slowStartMs, 0);
  assert.equal(upstreamOf('backups: { below: 30% }').backupBelowPercent, 30);
});

describe('a sticky cookie', () => {
  test('has safe defaults', () => {
    assert.deepEqual(stickyOf(upstreamOf('sticky: { cookie: lb, secret: "${STICKY_SECRET}" }')), {
      cookie: 'lb',
      secrets: [ENVIRONMENT.STICKY_SECRET],
      maxIdleMs: 1_800_000,
      maxLifeMs: 43_200_000,
      sameSite: 'Lax',
      isHttpOnly: true,
      isPassedOn: false,
      secure: 'auto',
    });
  });

  test('may have every attribute changed, and several secrets in order', () => {
    const settings =
      'sticky: { cookie: lb, secrets: [first of the secrets, "${STICKY_SECRET}"], maxIdle: none, maxLife: none, sameSite: strict, httpOnly: false, secure: always }';
    assert.deepEqual(stickyOf(upstreamOf(settings)), {
      cookie: 'lb',
      secrets: ['first of the secrets', ENVIRONMENT.STICKY_SECRET],
      maxIdleMs: 0,
      maxLifeMs: 0,
      sameSite: 'Strict',
      isHttpOnly: false,
      isPassedOn: false,
      secure: 'always',
    });
    assert.equal(
      stickyOf(upstreamOf('sticky: { cookie: a, secret: "${STICKY_SECRET}", sameSite: none }'))?.sameSite,
      'None',
    );
  });

  test('accepts a numeric secret from the environment', () => {
    const text = `
listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [http://a]
    health: { heartbeat: false }
    sticky:
      cookie: lb
      secret: \${DIGITS}
`;
    const result = load(text, { DIGITS: '31415926535897932' });
    assert.ok(result.ok, JSON.stringify(result));
    assert.equal(result.config.settings.upstreams['app']?.sticky?.secret, '31415926535897932');
  });
});

describe('outliers', () => {
  const outliersOf = (given: string) => upstreamOf('', `false, passive: { outliers: ${given} }`).passive.outliers;

  test('can be configured', () => {
    const given = '{ interval: 5s, minRequests: 50, minGap: 12.5%, sigmas: 3.5 }';
    assert.deepEqual(outliersOf(given), { intervalMs: 5000, minRequests: 50, minGap: 0.125, sigmas: 3.5 });
    assert.equal(outliersOf('{ minGap: 10% }')?.intervalMs, 10_000);
  });

  test('can be disabled', () => assert.equal(outliersOf('false'), null));
});

test('expectations of a heartbeat', () => {
  const given = `{ body: '"status": "(ok|up)"', headers: { X-Ready: "yes", x-role: main }, agent: true }`;
  const heartbeat = upstreamOf('', given).heartbeat!;
  const { bodyPattern, expectedFields, acceptsAgentFeedback } = heartbeat;
  assert.deepEqual(
    { bodyPattern, expectedFields, acceptsAgentFeedback },
    {
      bodyPattern: '"status": "(ok|up)"',
      expectedFields: ['x-ready', 'yes', 'x-role', 'main'],
      acceptsAgentFeedback: true,
    },
  );
});

test('a gRPC heartbeat checks a service, or the endpoint as a whole', () => {
  const kindAndService = (given: string): readonly unknown[] => {
    const { kind, service } = upstreamOf('', given).heartbeat!;
    return [kind, service];
  };
  assert.deepEqual(kindAndService('{ type: grpc, service: shop.v1.Orders }'), ['grpc', 'shop.v1.Orders']);
  assert.deepEqual(kindAndService('{ type: grpc }'), ['grpc', '']);
});
