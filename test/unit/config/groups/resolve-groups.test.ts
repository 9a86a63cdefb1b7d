// Groups of routes and defaults: names, inherited settings, conditions. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { type LoadedConfig, loadConfigText } from '../../../../config/load.ts';
import { printedConfig } from '../../../../config/yaml/printed-config.ts';
import { describeChanges } from '../../../../config/compile/diff.ts';

const PLUGIN = `listeners: [{ name: web, bind: ":80" }]
upstreams: { app: { endpoints: [http://10.0.0.1] }, other: { endpoints: [http://10.0.0.2], timeouts: { idle: 9s } } }
`;

function load(text: string, environment: Record<string, string> = {}): LoadedConfig {
  const loaded = loadConfigText(PLUGIN + text, { file: 'f.yaml', directory: '/', environment, wallMs: 0 });
  const problems = loaded.ok ? loaded.warnings.filter(({ code }) => code === 'FL9013') : loaded.problems;
  assert.deepEqual(problems, []);
  assert.ok(loaded.ok);
  return loaded.config;
}

function snapshotOf(config: LoadedConfig) {
  return compile(config, newTables({ endpoints: 8, upstreams: 8, listeners: 8 }), 1);
}

const settingsOf = (text: string) => load(text).settings;
const namesOf = (text: string) => snapshotOf(load(text)).routes.map(({ name }) => name);

describe('names of nested routes', () => {
  const cases: Readonly<Record<string, readonly [yaml: string, names: readonly string[]]>> = {
    'have the names of their groups before them': [
      'routes: [{ name: a, routes: [{ name: b, routes: [{ name: c, upstream: app }] }] }]',
      ['a.b.c'],
    ],
    'are numbered within their group': [
      'routes: [{ upstream: app }, { name: a, routes: [{ upstream: app }, { upstream: app }] }, { upstream: app }]',
      ['route-1', 'a.1', 'a.2', 'route-3'],
    ],
    'are their own in a group without a name': [
      'routes: [{ routes: [{ name: x, upstream: app }, { upstream: app }] }, { name: a, routes: [{ routes: [{ name: y, upstream: app }, { upstream: app }] }] }]',
      ['x', 'route-1.2', 'a.y', 'a.1.2'],
    ],
  };
  for (const [title, [yaml, names]] of Object.entries(cases)) {
    test(title, () => assert.deepEqual(namesOf(yaml), names));
  }
});

describe('a nested route', () => {
  test('is reached by no request that its group or itself excludes', () => {
    const [nested] = snapshotOf(
      load(`
routes:
  - match: { client: 10.0.0.0/8, not: { path: /x } }
    routes: [{ match: { client: 10.1.0.0/16, not: [{ path: /y, method: GET }] }, upstream: app }]
`),
    ).routes;
    const { others } = nested!.match;
    assert.deepEqual(others?.clients, ['10.1.0.0/16']);
    assert.deepEqual(
      others?.not.map(({ paths, methods }) => [paths[0], methods]),
      [
        [{ kind: 'prefix', value: '/x' }, []],
        [{ kind: 'prefix', value: '/y' }, ['GET']],
      ],
    );
  });

  test('inherits settings key by key, and its own take precedence', () => {
    const { routes } = settingsOf(`routes:
  - upstream: app
    priority: critical
    requestHeaders: { set: { x-a: "1", x-b: "1" }, remove: [x-c] }
    routes:
      - { match: { path: /a }, requestHeaders: { set: { x-b: "2" } } }
      - { match: { path: /b }, upstream: other, priority: sheddable, requestHeaders: { remove: [x-d] } }
`);
    const [a, b] = routes;
    assert.deepEqual(a!.requestHeaders, { ...a!.requestHeaders, set: { 'x-a': '1', 'x-b': '2' }, remove: ['x-c'] });
    assert.deepEqual([a!.upstream, a!.priority], ['app', 'critical']);
    assert.deepEqual([b!.upstream, b!.priority], ['other', 'sheddable']);
    assert.deepEqual(b!.requestHeaders, { ...b!.requestHeaders, set: { 'x-a': '1', 'x-b': '1' }, remove: ['x-d'] });
  });

  test('switches inherited settings off with null, and with false where the key takes no boolean', () => {
    const { routes } = settingsOf(`routes:
  - { upstream: app, cors: { origins: https://a.example }, securityHeaders: { hsts: 30 }, limits: { body: 1MiB }, routes: [
      { match: { path: /a }, cors: null, limits: false, securityHeaders: { hsts: null } },
      { match: { path: /b }, cors: null, routes: [{ securityHeaders: null }] } ] }
`);
    assert.deepEqual(
      routes.map(({ cors, limits }) => [cors, limits]),
      [
        [undefined, undefined],
        [undefined, { body: 1_048_576 }],
      ],
    );
    assert.equal(routes[1]!.securityHeaders, undefined);
    assert.equal((routes[0]!.securityHeaders as { hsts?: unknown }).hsts, 365);
  });

  test('replaces the action as a whole, and drops inherited settings that its action has no use for', () => {
    const { routes } = settingsOf(`routes:
  - { upstream: app, limits: { body: 1MiB }, host: { from: endpoint }, routes: [
      { match: { path: /a }, respond: { status: 404 } },
      { match: { path: /b }, host: { name: b.internal } } ] }
`);
    assert.equal(routes[0]!.upstream, undefined);
    assert.equal(routes[0]!.respond!.status, 404);
    assert.deepEqual(routes[1]!.host, { kind: 'fixed', value: 'b.internal' });
  });

  test('must satisfy the conditions of all of its groups', () => {
    const { routes } = snapshotOf(
      load(`routes:
  - match: { host: "*.example.com", path: [/app, { exact: /b/c }], header: { x-a: "1" }, method: [GET, POST] }
    upstream: app
    routes:
      - match: { host: [a.example.com, "*.eu.example.com"], path: [/app/x, /b] }
        routes: [{ match: { header: { x-b: true }, method: post, query: { q: "1" } } }, {}]
`),
    );
    const paths = [
      { kind: 'prefix', value: '/app/x' },
      { kind: 'exact', value: '/b/c' },
    ];
    const hosts = ['a.example.com', '*.eu.example.com'];
    assert.deepEqual(
      routes.map(({ match }) => [match.hosts, match.paths, match.methods, match.headers.map(({ name }) => name)]),
      [
        [hosts, paths, ['POST'], ['x-a', 'x-b']],
        [hosts, paths, ['GET', 'POST'], ['x-a']],
      ],
    );
    assert.equal(routes[0]!.match.query.length, 1);
  });

  test('has variables where its group has them', () => {
    const { settings } = load('routes: [{ limits: { body: "${SIZE}" }, routes: [{ upstream: "${APP}" }] }]', {
      SIZE: '2MiB',
      APP: 'app',
    });
    assert.deepEqual([settings.routes[0]!.limits, settings.routes[0]!.upstream], [{ body: 2_097_152 }, 'app']);
  });
});

describe('defaults', () => {
  const YAML = `defaults:
  routes: { priority: sheddable, limits: { body: 1MiB } }
  upstreams: { timeouts: { connect: 1s, idle: 2s }, balance: { strategy: consistent-hash, key: client-ip }, retry: { attempts: 2 } }
routes: [{ upstream: app }, { priority: null, redirect: { to: / } }, { name: g, priority: critical, routes: [{ upstream: other }] }]
`;
  test('apply to every route and upstream, key by key', () => {
    const { routes, upstreams } = settingsOf(YAML);
    assert.deepEqual(
      routes.map(({ priority, limits }) => [priority, limits?.body]),
      [
        ['sheddable', 1_048_576],
        ['default', undefined],
        ['critical', 1_048_576],
      ],
    );
    const { app, other } = upstreams;
    assert.deepEqual([app!.timeouts.connect, app!.timeouts.idle, other!.timeouts.idle], [1000, 2000, 9000]);
    assert.equal(app!.retry.attempts, 2);
    assert.equal(app!.balance.strategy, 'consistent-hash');
  });

  test('are shown for each route and upstream by --defaults, which loads to the same Snapshot', () => {
    const config = load(YAML);
    const written = printedConfig(config, { isRedacted: false, hasDefaults: false });
    assert.match(written, /^defaults:/m);
    const resolved = printedConfig(config, { isRedacted: false, hasDefaults: true });
    assert.doesNotMatch(resolved, /^defaults:/m);
    assert.match(resolved, /- name: g\.1\n {4}upstream: other\n {4}priority: critical\n/);
    for (const text of [written, resolved]) {
      const again = loadConfigText(text, { file: 'f.yaml', directory: '/', environment: {}, wallMs: 0 });
      assert.ok(again.ok, JSON.stringify(again));
      assert.deepEqual(describeChanges(snapshotOf(config), snapshotOf(again.config)), []);
    }
  });

  test('with secrets are masked', () => {
    const config = load(`defaults: { upstreams: { sticky: { cookie: lb, secret: a-secret-of-24-letters } } }
routes: [{ name: g, requestHeaders: { set: { authorization: hidden-value } }, routes: [{ upstream: app }, { match: { path: /b }, requestHeaders: { set: { x-token: other-value } }, upstream: other }] }]
`);
    for (const hasDefaults of [false, true]) {
      assert.doesNotMatch(
        printedConfig(config, { isRedacted: true, hasDefaults }),
        /a-secret|hidden-value|other-value/,
      );
    }
  });
});
