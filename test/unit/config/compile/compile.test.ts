// Compiling to a Snapshot: defaults, overrides, names, slots over reloads. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, newTables, workersOf, type CompileTables } from '../../../../config/compile/compile.ts';
import { CapacityError } from '../../../../config/compile/slots.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { DESIGN_EXAMPLE } from '../design-example.ts';
import { load } from '../golden-cases.ts';

function tables(endpoints = 8, upstreams = 4, listeners = 4): CompileTables {
  return newTables({ endpoints, upstreams, listeners });
}

function snapshotOf(text: string, into = tables(), revision = 1): Snapshot {
  const result = load(text);
  assert.ok(result.ok, JSON.stringify(result));
  return compile(result.config, into, revision);
}

const MINIMAL = `
listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://a], health: { heartbeat: {} } } }
`;

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}

describe('defaults', () => {
  const snapshot = snapshotOf(MINIMAL);
  const [upstream] = snapshot.upstreams;
  assert.ok(upstream);

  test('of listeners', () => {
    const { limits, timeouts, tls, trustedProxies, policies, bind } = snapshot.listeners[0]!;
    assert.deepEqual(timeouts, {
      headMs: 15_000,
      bodyIdleMs: 30_000,
      sendIdleMs: 30_000,
      keepAliveMs: 75_000,
      handshakeMs: 10_000,
    });
    assert.deepEqual(limits, {
      headBytes: 32_768,
      headFields: 200,
      requestLineBytes: 8192,
      bodyBytes: 0,
      connections: 0,
      connectionsPerClient: 0,
      streams: 256,
      requestsPerConnection: 1000,
    });
    assert.deepEqual({ tls, trustedProxies }, { tls: null, trustedProxies: [] });
    assert.deepEqual(policies, [
      { name: 'forwarding-fields', index: 0, stage: 'identify', needs: [], data: { forwarded: false } },
    ]);
    assert.deepEqual(bind, { kind: 'tcp', host: '', port: 80 });
  });

  test('of upstreams', () => {
    assert.deepEqual(upstream.balance, { kind: 'least-request' });
    assert.deepEqual(upstream.timeouts, {
      connectMs: 3000,
      responseMs: 60_000,
      idleMs: 60_000,
      queueMs: 5000,
      tunnelMs: 3_600_000,
      keepAliveMs: 4000,
    });
    assert.deepEqual(upstream.limits, { maxConnections: 0, maxQueue: 1000, maxIdle: 1000, isAdaptive: false });
    assert.deepEqual(upstream.tls, { verify: true, ca: [], serverName: '', certificate: null });
    assert.equal(upstream.responseHeadBytes, 32_768);
  });

  test('of retries and outlier detection', () => {
    assert.deepEqual(upstream.retry, {
      attempts: 2,
      onConnectFailure: true,
      onReset: true,
      onTimeout: true,
      statuses: [503],
      grpcStatuses: [],
      perTryTimeoutMs: 0,
      budgetRatio: 0.2,
      budgetMin: 3,
      bufferBytes: 65_536,
    });
    assert.deepEqual(upstream.passive, {
      consecutiveFailures: 5,
      stallMs: 100,
      ejectionBaseMs: 10_000,
      ejectionMaxMs: 300_000,
      maxEjectedPercent: 50,
      outliers: { intervalMs: 10_000, minRequests: 100, minGap: 0.05, sigmas: 4 },
    });
  });

  test('of heartbeats', () => {
    assert.deepEqual(upstream.heartbeat, {
      kind: 'http',
      path: '/',
      method: 'GET',
      host: '',
      statuses: [200, 399],
      port: 0,
      intervalMs: 2000,
      fastIntervalMs: 500,
      downIntervalMs: 5000,
      timeoutMs: 1000,
      rise: 2,
      fall: 3,
      bodyPattern: '',
      expectedFields: [],
      acceptsAgentFeedback: false,
      isDecisive: false,
    });
  });

  test('of the process', () => {
    const { fastPath, admin, accessLog, log, drainDelayMs, graceMs, workers, revision } = snapshot;
    assert.deepEqual(
      { fastPath, admin, accessLog, log, drainDelayMs, graceMs, revision },
      {
        fastPath: true,
        admin: null,
        accessLog: null,
        log: { level: 'info', format: 'auto' },
        drainDelayMs: 0,
        graceMs: 30_000,
        revision: 1,
      },
    );
    assert.ok(workers >= 1 && workers <= 64);
  });
});

test('a Snapshot is deeply frozen and can be cloned', () => {
  const snapshot = snapshotOf(DESIGN_EXAMPLE);
  assert.ok(isDeeplyFrozen(snapshot));
  assert.deepEqual(structuredClone(snapshot), snapshot);
});

test('the number of workers is the configured one, or that of available CPUs', () => {
  const result = load(`workers: 7\n${MINIMAL}`);
  assert.ok(result.ok);
  assert.equal(workersOf(result.config.settings), 7);
});

test('a listener overrides only the limits and timeouts that it names', () => {
  const text = MINIMAL.replace('bind: ":80"', 'bind: ":80", limits: { body: 1MiB }, timeouts: { head: 1s }');
  const { limits, timeouts } = snapshotOf(`${text}limits: { fields: 50, body: 2MiB }\ntimeouts: { keepAlive: 5s }\n`)
    .listeners[0]!;
  assert.deepEqual([limits.bodyBytes, limits.headFields, limits.headBytes], [1_048_576, 50, 32_768]);
  assert.deepEqual([timeouts.headMs, timeouts.keepAliveMs, timeouts.sendIdleMs], [1000, 5000, 30_000]);
});

test('certificates carry their texts and names', () => {
  const { tls } = snapshotOf(`
listeners:
  - name: web
    bind: ":443"
    tls:
      http2: false
      minVersion: TLSv1.3
      certificates:
        - { cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key }
        - { cert: certificates/api.example.com.pem, key: certificates/api.example.com.key }
routes: [{ respond: {} }]
`).listeners[0]!;
  assert.deepEqual(
    tls?.certificates.map((certificate) => certificate.names),
    [['shop.example.com', '*.shop.example.com'], ['api.example.com']],
  );
  assert.match(tls?.certificates[0]?.cert ?? '', /^-----BEGIN CERTIFICATE-----/);
  assert.match(tls?.certificates[0]?.key ?? '', /^-----BEGIN (?:EC )?PRIVATE KEY-----/);
  assert.deepEqual([tls?.http2, tls?.minVersion], [false, 'TLSv1.3']);
});

test('options of built-in policies compile to their data, in the order of the table', () => {
  const { routes } = snapshotOf(`
listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app, requestHeaders: { set: { X-Team: a, x-b: c }, remove: [x-d] } }]
upstreams: { app: { endpoints: [http://a], health: { heartbeat: false } } }
`);
  const { policies } = routes[0]!;
  assert.deepEqual(
    policies.map(({ name, data }) => [name, data]),
    [
      ['shedding', { priority: 'default' }],
      [
        'header-edits',
        {
          requestHeaders: { set: ['X-Team', 'a', 'x-b', 'c'], remove: ['x-d'] },
          responseHeaders: { set: [], remove: [] },
        },
      ],
    ],
  );
});

test('routes compile to matches, actions and field changes', () => {
  const { routes, upstreams } = snapshotOf(`
listeners: [{ name: web, bind: ":80" }]
routes:
  - name: first
    match:
      host: ["*.Example.com", b.example.com]
      path: [/v1, { exact: /x }]
      method: get
      header: { X-Version: "2", x-any: true }
      query: { q: { prefix: a } }
      listener: web
    upstream: app
    host: { from: endpoint }
    limits: { body: 1KiB }
    requestHeaders: { set: { X-Team: a, x-b: c }, remove: [x-d] }
  - match: { path: /r }
    redirect: { to: /s, status: 302 }
  - respond: { status: 404, body: no, contentType: text/html }
upstreams: { app: { endpoints: [http://a], health: { heartbeat: false } } }
`);
  const { policies: _, ...first } = routes[0]!;
  assert.deepEqual(first, {
    name: 'first',
    match: {
      hosts: ['*.example.com', 'b.example.com'],
      paths: [
        { kind: 'prefix', value: '/v1' },
        { kind: 'exact', value: '/x' },
      ],
      methods: ['GET'],
      headers: [
        { name: 'x-version', match: { kind: 'exact', value: '2' } },
        { name: 'x-any', match: { kind: 'present' } },
      ],
      query: [{ name: 'q', match: { kind: 'prefix', value: 'a' } }],
      listeners: ['web'],
    },
    action: { kind: 'upstream', upstream: upstreams[0]!.index },
    hostField: { kind: 'endpoint' },
    overrides: null,
    upload: null,
    bodyBytes: 1024,
    priority: 'default',
  });
  const location = { form: 'url', text: '/s', parts: ['/s'] };
  assert.deepEqual(routes[1]?.action, { kind: 'redirect', status: 302, location });
  const body = { form: 'html', text: 'no', parts: ['no'] };
  const respond = { kind: 'respond', status: 404, body, contentType: 'text/html', isBinary: false };
  assert.deepEqual(routes[2]?.action, respond);
  assert.deepEqual(
    routes.map((route) => route.name),
    ['first', 'route-2', 'route-3'],
  );
});

describe('balancers', () => {
  const balanceOf = (balance: string, endpoints = 'http://a') => {
    const text = `
listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [${endpoints}], health: { heartbeat: false }, balance: ${balance} } }
`;
    return snapshotOf(text, tables(1024)).upstreams[0]!.balance;
  };

  test('may be given by name or as a mapping', () => {
    assert.deepEqual(balanceOf('first'), { kind: 'first' });
    assert.deepEqual(balanceOf('{ strategy: round-robin }'), { kind: 'round-robin' });
    assert.deepEqual(balanceOf('random'), { kind: 'random', choices: 1 });
    assert.deepEqual(balanceOf('{ strategy: random, choices: 2 }'), { kind: 'random', choices: 2 });
    assert.deepEqual(balanceOf('peak-ewma'), { kind: 'peak-ewma', decayMs: 10_000, errorPenaltyMs: 1000 });
  });

  test('that hash have a table sized for the number of endpoints', () => {
    const plain = { kind: 'consistent-hash', key: { kind: 'client-ip' }, boundedLoad: 0, tableSize: 65_537, seed: 0 };
    assert.deepEqual(balanceOf('consistent-hash'), plain);
    const many = Array.from({ length: 656 }, (_, n) => `http://a${n}`).join(', ');
    assert.deepEqual(balanceOf('consistent-hash', many), { ...plain, tableSize: 655_373 });
    assert.deepEqual(
      balanceOf('{ strategy: consistent-hash, key: "header:X-User", boundedLoad: 1.25, tableSize: 101, seed: 9 }'),
      {
        kind: 'consistent-hash',
        key: { kind: 'header', name: 'x-user' },
        boundedLoad: 1.25,
        tableSize: 101,
        seed: 9,
      },
    );
  });
});

describe('limits derived from another value', () => {
  const upstreamOf = (settings: string) =>
    snapshotOf(MINIMAL.replace('health: { heartbeat: {} }', settings)).upstreams[0]!;

  test('a queue holds at most 0.4 of the response timeout', () => {
    const health = 'health: { heartbeat: false }';
    assert.equal(upstreamOf(`${health}, timeouts: { response: 2s }`).timeouts.queueMs, 800);
    assert.equal(upstreamOf(`${health}, timeouts: { response: none, queue: 7s }`).timeouts.queueMs, 7000);
    assert.equal(upstreamOf(`${health}, timeouts: { response: 1ms }`).timeouts.queueMs, 1);
  });

  test('a heartbeat takes at most its interval', () => {
    const heartbeat = upstreamOf('health: { heartbeat: { interval: 200ms } }').heartbeat;
    assert.deepEqual([heartbeat?.timeoutMs, heartbeat?.fastIntervalMs, heartbeat?.downIntervalMs], [200, 200, 5000]);
  });

  test('a Snapshot has no heartbeat without a configured one', () => {
    assert.equal(upstreamOf('health: { heartbeat: false }').heartbeat, null);
    assert.equal(upstreamOf('health: {}').heartbeat, null);
  });
});

describe('over a reload', () => {
  const before = `
listeners: [{ name: a, bind: ":1" }, { name: b, bind: ":2" }]
routes: [{ upstream: x }, { match: { path: /y }, upstream: y }]
upstreams:
  x: { endpoints: [http://one, http://two], health: { heartbeat: false } }
  y: { endpoints: [http://one], health: { heartbeat: false } }
`;
  const after = `
listeners: [{ name: b, bind: ":2" }]
routes: [{ upstream: y }]
upstreams:
  y: { endpoints: [http://three, http://one], health: { heartbeat: false } }
`;

  test('listeners, upstreams and endpoints keep their slots', () => {
    const shared = tables();
    const first = snapshotOf(before, shared, 1);
    const second = snapshotOf(after, shared, 2);
    assert.deepEqual(
      first.upstreams.map((upstream) => upstream.endpoints.map((endpoint) => endpoint.slot)),
      [[0, 1], [2]],
    );
    assert.deepEqual(
      second.upstreams[0]?.endpoints.map((endpoint) => [endpoint.name, endpoint.slot]),
      [
        ['y/three:80', 3],
        ['y/one:80', 2],
      ],
    );
    assert.deepEqual([second.listeners[0]?.index, second.upstreams[0]?.index], [1, 1]);
    assert.deepEqual(second.routes[0]?.action, { kind: 'upstream', upstream: 1 });
    assert.deepEqual(
      [shared.endpoints.retire(2), shared.upstreams.retire(2), shared.listeners.retire(2)],
      [[0, 1], [0], [0]],
    );
  });

  test('an overflow changes no table', () => {
    const shared = tables(8, 4, 1);
    assert.throws(() => snapshotOf(before, shared, 1), CapacityError);
    assert.deepEqual([shared.endpoints.usedCount, shared.upstreams.usedCount, shared.listeners.usedCount], [0, 0, 0]);
    assert.throws(
      () => snapshotOf(before, tables(2), 1),
      /3 more endpoints exceed the capacity: 2 of 2 slots are free/,
    );
  });
});
