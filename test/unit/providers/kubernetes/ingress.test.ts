// Ingress objects as routes: classes, order, backends, annotations. Pure. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { ApiObject } from '../../../../discovery/kubernetes/api-object.ts';
import { keyOf } from '../../../../discovery/kubernetes/api-object.ts';
import { ingressFragment } from '../../../../providers/kubernetes/ingress.ts';
import { readPage } from '../../docs/pages.ts';

const OWN = { metadata: { name: 'fairlead' }, spec: { controller: 'fairlead.dev/ingress' } };
const OTHER = { metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } };
const DEFAULT = {
  ...OWN,
  metadata: { name: 'fairlead', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
};

function byKey(objects: readonly object[]): ReadonlyMap<string, ApiObject> {
  return new Map((objects as ApiObject[]).map((one) => [keyOf(one), one]));
}

function service(name: string, ports: readonly object[] = [{ port: 80 }], type = 'ClusterIP') {
  return { metadata: { namespace: 'shop', name }, spec: { type, ports } };
}

const to = (name: string, port: object = { number: 80 }) => ({ backend: { service: { name, port } } });

/** Paths are `HOST PATH PATHTYPE`. */
function ingress(
  name: string,
  paths: readonly string[],
  parts: { age?: number; metadata?: object; spec?: object } = {},
) {
  const rules = paths.map((text) => {
    const [host, path, pathType] = text.split(' ');
    return { ...(host !== '-' && { host }), http: { paths: [{ path, pathType, ...to('app') }] } };
  });
  const creationTimestamp = `2026-01-0${parts.age ?? 1}T00:00:00Z`;
  return {
    metadata: { namespace: 'shop', name, creationTimestamp, ...parts.metadata },
    spec: { ingressClassName: 'fairlead', rules, ...parts.spec },
  };
}

interface Shown {
  readonly name: string;
  readonly match: {
    readonly subdomains?: string;
    readonly host?: string;
    readonly path?: string | { readonly exact: string };
    readonly listener: string[];
  };
  readonly upstream?: string;
}

function begin(ingresses: readonly object[], more: { classes?: object[]; services?: object[] } = {}) {
  const cluster = {
    ingresses: byKey(ingresses),
    ingressClasses: byKey(more.classes ?? [OWN, OTHER]),
    services: byKey(more.services ?? [service('app')]),
    secrets: byKey([]),
  };
  const listeners = [
    { name: 'web', port: 80, isTls: false },
    { name: 'secure', port: 443, isTls: true },
  ];
  const access = { kubeconfig: '', context: '' };
  const fragment = ingressFragment(cluster, { listeners, access, watch: 'cluster' });
  const routes = fragment.parts.flatMap(({ config }) => (config.routes ?? []) as Shown[]);
  const upstreams = Object.assign({}, ...fragment.parts.map(({ config }) => config.upstreams ?? {})) as Record<
    string,
    object
  >;
  const order = routes.map(({ name, match: { host = '-', path = '/' } }) => {
    const shown = typeof path === 'string' ? path : `=${path.exact}`;
    return `${name.split('.')[2]} ${host} ${shown}`;
  });
  return { ...fragment, routes, upstreams, order };
}

test('the Ingress of docs/kubernetes.md is a route of its host, and redirects to HTTPS', () => {
  const fence = readPage('docs/kubernetes.md').fences.find(({ text }) => text.includes('kind: Ingress\n'))!;
  const { routes, upstreams, order, refused } = begin([parse(fence.text) as object], { services: [service('shop')] });
  // The secret is in no set of this test.
  assert.deepEqual(
    refused.map(({ origin }) => origin),
    ['kubernetes secret shop/shop-tls'],
  );
  assert.ok(order.length > 0);
  for (const { match } of routes) assert.equal(match.host, 'shop.example.com');
  assert.deepEqual(Object.keys(upstreams).length, 1);
  const redirects = routes.filter((route) => 'redirect' in route);
  assert.deepEqual(
    redirects.map(({ match: { listener } }) => listener),
    [['web']],
  );
});

describe('routes of Ingress objects', () => {
  test('are in the documented order', () => {
    const { order } = begin([
      ingress('a', ['- / Prefix', '*.test /x Prefix', 'a.test / Prefix'], {
        age: 1,
        spec: { defaultBackend: to('app').backend },
      }),
      ingress('b', ['*.sub.test / Prefix', 'a.test /x/y Prefix', 'a.test /x/y Exact', '- /z Prefix'], { age: 2 }),
      ingress('c', ['a.test /x/y/ Prefix'], { age: 3 }),
    ]);
    assert.deepEqual(order, [
      'b a.test =/x/y',
      'b a.test /x/y',
      'c a.test /x/y',
      'a a.test /',
      'b *.sub.test /',
      'a *.test /x',
      'b - /z',
      'a - /',
      'a - /',
    ]);
  });

  test('have wildcards of one label, and names without a condition for them', () => {
    const { routes } = begin([ingress('a', ['*.test / Prefix', 'a.test / Prefix'])]);
    const matches = routes.map(({ match: { host, subdomains = '' } }) => `${host} ${subdomains}`);
    assert.deepEqual(matches, ['a.test ', '*.test one']);
  });

  test('are those of the own class, and of the default class', () => {
    const objects = [
      ingress('own', ['a.test / Prefix']),
      ingress('other', ['a.test / Prefix'], { spec: { ingressClassName: 'nginx' } }),
      ingress('none', ['a.test / Prefix'], { spec: { ingressClassName: undefined } }),
      ingress('old', ['a.test / Prefix'], {
        metadata: { annotations: { 'kubernetes.io/ingress.class': 'fairlead' } },
        spec: { ingressClassName: undefined },
      }),
    ];
    const namesWith = (classes: object[]) =>
      begin(objects, { classes })
        .order.map((text) => text.split(' ')[0]!)
        .toSorted();
    assert.deepEqual(namesWith([OWN, OTHER]), ['old', 'own']);
    assert.deepEqual(namesWith([DEFAULT, OTHER]), ['none', 'old', 'own']);
  });

  test('have an upstream for each port of a service, whose endpoints are discovered', () => {
    const ports = [
      { name: 'http', port: 80 },
      { name: 'admin', port: 9000 },
    ];
    const byName = { spec: { defaultBackend: to('app', { name: 'admin' }).backend } };
    const { routes, upstreams } = begin([ingress('a', ['a.test / Exact'], byName)], {
      services: [service('app', ports)],
    });
    assert.deepEqual(
      routes.map(({ upstream }) => upstream),
      ['shop.app.80', 'shop.app.9000'],
    );
    const kubernetes = { namespace: 'shop', service: 'app', watch: 'cluster', port: 'admin' };
    assert.deepEqual(upstreams['shop.app.9000'], { discover: { kubernetes } });
  });

  const BACKENDS: readonly (readonly [cause: string, services: object[]])[] = [
    ['there is no service shop/app', []],
    ['service shop/app has no port 80', [service('app', [{ port: 81 }])]],
    [
      'service shop/app has type ExternalName, which is refused (it names a host outside the cluster: list it in the file)',
      [service('app', [{ port: 80 }], 'ExternalName')],
    ],
  ];
  for (const [cause, services] of BACKENDS) {
    test(`answer 503 where ${cause}`, () => {
      const { routes, refused } = begin([ingress('a', ['a.test / Prefix'])], { services });
      assert.deepEqual(routes[0], {
        name: 'ingress.shop.a.1',
        match: { host: 'a.test', listener: ['web', 'secure'] },
        respond: { status: 503, body: 'no such service\n' },
      });
      assert.deepEqual(refused, [{ origin: 'kubernetes ingress shop/a', cause }]);
    });
  }

  test('have the settings of annotations', () => {
    const annotations = {
      'fairlead.dev/strip-prefix': '/api',
      'fairlead.dev/add-prefix': '/v2',
      'fairlead.dev/response-timeout': '5s',
      'fairlead.dev/retry-attempts': '2',
      'fairlead.dev/body-limit': '1MiB',
      'fairlead.dev/other': 'x',
      'nginx.ingress.kubernetes.io/rewrite-target': '/',
    };
    const { routes, refused } = begin([ingress('a', ['a.test /api Prefix'], { metadata: { annotations } })]);
    const { name: _name, match: _match, ...settings } = routes[0]!;
    assert.deepEqual(settings, {
      upstream: 'shop.app.80',
      rewrite: { stripPrefix: '/api', addPrefix: '/v2' },
      timeouts: { response: '5s' },
      retry: { attempts: 2 },
      limits: { body: '1MiB' },
    });
    assert.match(refused[0]!.cause, /^the annotation fairlead\.dev\/other is unknown: use redirect-to-https, /);
    assert.equal(refused.length, 1, 'annotations of other controllers are ignored');
  });

  test('redirect plain requests to HTTPS on request', () => {
    const metadata = { annotations: { 'fairlead.dev/redirect-to-https': 'true' } };
    const { routes } = begin([ingress('a', ['a.test / Prefix'], { metadata })]);
    assert.deepEqual(
      routes.map(({ match: { listener }, upstream }) => [listener, upstream]),
      [
        [['web'], undefined],
        [['secure'], 'shop.app.80'],
      ],
    );
  });

  test('survive objects of any shape', () => {
    const wrong = [
      { metadata: { namespace: 'shop', name: 'x' }, spec: { ingressClassName: 'fairlead', rules: 7, tls: [null] } },
      {
        metadata: { namespace: 'shop', name: 'y' },
        spec: { ingressClassName: 'fairlead', rules: [null, { http: { paths: [1] } }] },
      },
    ];
    assert.deepEqual(begin(wrong).routes.length, 1);
  });
});
