// Labels of containers as routes: hosts and paths, replicas, conflicts, bad labels. Pure. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { containerFragment } from '../../../../providers/docker/container-routes.ts';
import { labelledContainers, type LabelledContainer } from '../../../../providers/docker/labelled-container.ts';

const SETTINGS = {
  listeners: [
    { name: 'web', port: 80, isTls: false },
    { name: 'secure', port: 443, isTls: true },
  ],
  engine: { address: 'unix:/engine.sock' },
  ownUpstreams: ['own'],
};

function container(name: string, labels: Record<string, string>, createdS = 1): LabelledContainer {
  const own = Object.entries(labels).map(([key, value]) => [key.includes('.') ? key : `fairlead.${key}`, value]);
  return { name, createdS, labels: Object.fromEntries(own) as Record<string, string> };
}

interface Route {
  readonly name: string;
  readonly match: { readonly host?: string; readonly path?: string; readonly listener: readonly string[] };
  readonly upstream?: string;
  readonly redirect?: object;
}

/** Routes as `HOST PATH LISTENERS -> UPSTREAM`, upstreams by name, and refusals. */
function shown(...containers: LabelledContainer[]) {
  const { parts, refused } = containerFragment(containers, SETTINGS);
  const routes = parts.flatMap(({ config }) => (config.routes ?? []) as readonly Route[]);
  return {
    routes: routes.map(({ match: { host = '*', path = '/', listener }, upstream = 'redirect' }) => {
      return `${host} ${path} ${listener.join('+')} -> ${upstream}`;
    }),
    raw: routes,
    upstreams: Object.assign({}, ...parts.map(({ config }) => config.upstreams ?? {})) as Record<string, object>,
    origins: [...new Set(parts.map(({ origin }) => origin))],
    refused: refused.map(({ origin, cause }) => `${origin}: ${cause}`),
  };
}

const COMPOSED = { 'com.docker.compose.service': 'web', 'com.docker.compose.project': 'shop' };

describe('labels of containers', () => {
  test('are routes to the upstream that they name, the narrowest first', () => {
    const { routes, upstreams, refused } = shown(
      container('any', { path: '/', upstream: 'rest' }),
      container('api', { host: 'a.test, *.b.test', path: '/v1, /v1/admin', listener: 'web', upstream: 'api' }),
    );
    assert.deepEqual(routes, [
      'a.test /v1/admin web -> api',
      'a.test /v1 web -> api',
      '*.b.test /v1/admin web -> api',
      '*.b.test /v1 web -> api',
      '* / web+secure -> rest',
    ]);
    assert.deepEqual(upstreams['api'], {
      discover: { docker: { address: 'unix:/engine.sock', upstream: 'api' } },
    });
    assert.deepEqual(refused, []);
  });

  test('of a Compose service need no name, and replicas are one route', () => {
    const web = (name: string) => container(name, { ...COMPOSED, host: 'a.test', heartbeat: '/healthz' });
    const { routes, upstreams, origins } = shown(web('shop-web-2'), web('shop-web-1'));
    assert.deepEqual(routes, ['a.test / web+secure -> shop.web']);
    assert.deepEqual(upstreams, {
      'shop.web': {
        discover: { docker: { address: 'unix:/engine.sock', service: 'web', project: 'shop' } },
        health: { heartbeat: { path: '/healthz' } },
      },
    });
    assert.deepEqual(origins, ['docker upstream shop.web', 'docker container shop-web-1']);
  });

  test('set keys of the route, and redirect to HTTPS', () => {
    const labels = {
      host: 'a.test',
      upstream: 'a',
      'retry-attempts': '2',
      'strip-prefix': '/x',
      'redirect-to-https': 'true',
    };
    const { raw } = shown(container('a', labels));
    assert.deepEqual(raw, [
      {
        name: 'docker.a.1',
        match: { host: 'a.test', listener: ['web'] },
        redirect: { to: 'https://{hostname}{uri}', status: 308 },
      },
      {
        name: 'docker.a.2',
        match: { host: 'a.test', listener: ['secure'] },
        upstream: 'a',
        retry: { attempts: 2 },
        rewrite: { stripPrefix: '/x' },
      },
    ]);
  });

  test('may name an upstream of the file, which stays as it is', () => {
    const { routes, upstreams } = shown(container('a', { host: 'a.test', upstream: 'own' }));
    assert.deepEqual([routes, upstreams], [['a.test / web+secure -> own'], {}]);
  });

  test('without host and path, or with enable "false", are no route', () => {
    const off = container('off', { host: 'a.test', upstream: 'a', enable: 'false' });
    const { routes, refused } = shown(container('db', { upstream: 'db' }), off, container('other', {}));
    assert.deepEqual([routes, refused], [[], []]);
  });

  const REFUSED: readonly (readonly [what: string, labels: Record<string, string>, cause: RegExp])[] = [
    ['of no upstream', { host: 'b.test' }, /in no Compose service: set the label fairlead\.upstream/],
    ['with a malformed upstream', { host: 'b.test', upstream: '../x' }, /fairlead\.upstream is "\.\.\/x"/],
    [
      'with an unknown listener',
      { host: 'b.test', upstream: 'b', listener: 'x' },
      /names "x": the listeners are web, s/,
    ],
    ['with a malformed heartbeat', { host: 'b.test', upstream: 'b', heartbeat: 'up' }, /write a path such as/],
    [
      'with a heartbeat for the file',
      { host: 'b.test', upstream: 'own', heartbeat: '/up' },
      /the file defines upstream own/,
    ],
    ['with another enable', { host: 'b.test', upstream: 'b', enable: 'yes' }, /write "true" or "false"/],
    ['with too many places', { host: 'h,'.repeat(101), upstream: 'b' }, /more than 100 routes/],
    [
      'with the place of another',
      { host: 'A.test', upstream: 'b' },
      /container a has a route for a\.test\/ already, to upstream a/,
    ],
    [
      'with other settings of a place',
      { host: 'a.test', upstream: 'a', 'body-limit': '1MiB' },
      /container a has a route/,
    ],
    [
      'with another heartbeat',
      { host: 'b.test', upstream: 'a', heartbeat: '/up' },
      /container a defines upstream a differently/,
    ],
  ];
  for (const [what, labels, cause] of REFUSED) {
    test(`${what} are refused alone`, () => {
      const older = container('a', { host: 'a.test', upstream: 'a' });
      const { routes, refused } = shown(container('b', labels, 2), older);
      assert.deepEqual(routes, ['a.test / web+secure -> a']);
      assert.equal(refused.length, 1);
      assert.match(refused[0]!, cause);
      assert.ok(refused[0]!.startsWith('docker container b: '));
    });
  }

  test('that are unknown are named, and the others count', () => {
    const { routes, refused } = shown(container('a', { host: 'a.test', upstream: 'a', hosts: 'x' }));
    assert.equal(routes.length, 1);
    assert.match(refused[0]!, /^docker container a: the label fairlead\.hosts is unknown: use enable, /);
  });
});

test('malformed lists of containers are recognized', () => {
  const entry = { Id: '0123456789abcdef', Names: ['/web'], Created: 7, State: 'running', Labels: { a: 'b', c: 1 } };
  const [parsed] = labelledContainers(JSON.stringify([entry]))!;
  assert.deepEqual(parsed, { name: 'web', createdS: 7, labels: { a: 'b' } });
  assert.equal(
    labelledContainers(JSON.stringify([{ Id: '0123456789abcdef', State: 'paused' }]))![0]!.name,
    '0123456789ab',
  );
  for (const State of ['exited', 'created', 'stopped', undefined]) {
    assert.deepEqual(labelledContainers(JSON.stringify([{ ...entry, State }])), [], String(State));
  }
  for (const text of ['', '{}', '[null]', '[{}]', '[1]']) assert.equal(labelledContainers(text), null, text);
});
