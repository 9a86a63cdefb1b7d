// Gateway API: cases of its conformance suite for HTTPRoute, with the router that requests go through. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiObject } from '../../../../discovery/kubernetes/api-object.ts';
import { backend, begin, httpRoute, path, rule, type Sent, taken } from '../../../support/gateway-cluster.ts';

const header = (name: string, value: string, type = 'Exact') => ({ type, name, value });

describe('HTTPRoute', () => {
  type Request = readonly [expected: string, target: string, sent?: Sent];
  const CASES: readonly (readonly [name: string, routes: readonly object[], requests: readonly Request[]])[] = [
    [
      'HTTPRouteSimpleSameNamespace',
      [httpRoute('r', [rule('v1')])],
      [
        ['v1', '/'],
        ['v1', '/any/path'],
      ],
    ],
    [
      'HTTPRouteExactPathMatching',
      [httpRoute('r', [rule('v1', path('/one', 'Exact')), rule('v2', path('/two', 'Exact'))])],
      [
        ['v1', '/one'],
        ['v2', '/two'],
        ['404', '/'],
        ['404', '/one/example'],
        ['404', '/two/'],
        ['404', '/Two'],
      ],
    ],
    [
      'HTTPRouteMatching',
      [
        httpRoute('r', [
          rule('v1', path('/'), { headers: [header('version', 'one')] }),
          rule('v2', path('/v2'), { headers: [header('version', 'two')] }),
        ]),
      ],
      [
        ['v1', '/'],
        ['v1', '/example'],
        ['v1', '/', { fields: ['Version', 'one'] }],
        ['v2', '/v2'],
        ['v2', '/v2/example'],
        ['v2', '/', { fields: ['version', 'two'] }],
        ['v1', '/v2example'],
        ['v1', '/foo/v2/example'],
      ],
    ],
    [
      'HTTPRouteMatchingAcrossRoutes',
      [
        httpRoute('a', [rule('v1', path('/'), { headers: [header('version', 'one')] })], {
          hostnames: ['example.com', 'example.net'],
        }),
        httpRoute('b', [rule('v2', path('/v2'), { headers: [header('version', 'two')] })], {
          hostnames: ['example.com'],
        }),
      ],
      [
        ['v1', '/', { host: 'example.com' }],
        ['v1', '/example', { host: 'example.net' }],
        ['v2', '/v2', { host: 'example.com' }],
        ['v1', '/v2', { host: 'example.net' }],
        ['v2', '/', { host: 'example.com', fields: ['version', 'two'] }],
        ['404', '/', { host: 'other.com' }],
      ],
    ],
    [
      'HTTPRoutePathMatchOrder',
      [
        httpRoute('r', [
          rule('v3', path('/match/exact/one')),
          rule('v2', path('/match/exact', 'Exact')),
          rule('v1', path('/match/')),
          rule('v3', path('/match/prefix/one/any')),
          rule('v2', path('/match/prefix/')),
          rule('v4', path('/match/exact/one', 'Exact')),
        ]),
      ],
      [
        ['v2', '/match/exact'],
        ['v4', '/match/exact/one'],
        ['v3', '/match/exact/one/x'],
        ['v1', '/match/exact/two'],
        ['v3', '/match/prefix/one/any'],
        ['v2', '/match/prefix/any'],
        ['v1', '/match/any'],
        ['v2', '/match/prefix/one'],
      ],
    ],
    [
      'HTTPRouteHeaderMatching',
      [
        httpRoute('r', [
          rule('v1', { headers: [header('version', 'one')] }),
          rule('v2', { headers: [header('version', 'two')] }),
          rule('v1', { headers: [header('version', 'two'), header('color', 'orange')] }),
          rule(
            'v2',
            { headers: [header('color', 'blue')] },
            { headers: [header('color', '(green|teal)', 'RegularExpression')] },
          ),
        ]),
      ],
      [
        ['v1', '/', { fields: ['version', 'one'] }],
        ['v2', '/', { fields: ['version', 'two'] }],
        ['v1', '/', { fields: ['version', 'two', 'color', 'orange'] }],
        ['v2', '/', { fields: ['color', 'blue'] }],
        ['v2', '/', { fields: ['color', 'teal'] }],
        ['404', '/', { fields: ['color', 'tealish'] }],
        ['404', '/'],
      ],
    ],
    [
      'HTTPRouteQueryParamMatching',
      [
        httpRoute('r', [
          rule('v1', { queryParams: [{ name: 'animal', value: 'whale' }] }),
          rule('v2', { queryParams: [{ name: 'animal', value: 'dolphin' }] }),
          rule('v3', {
            queryParams: [
              { name: 'animal', value: 'dolphin' },
              { name: 'color', value: 'blue' },
            ],
          }),
        ]),
      ],
      [
        ['v1', '/?animal=whale'],
        ['v2', '/?animal=dolphin'],
        ['v3', '/?animal=dolphin&color=blue'],
        ['404', '/'],
        ['404', '/?animal=cat'],
      ],
    ],
    [
      'HTTPRouteMethodMatching',
      [
        httpRoute('r', [
          rule('v1', { method: 'POST' }),
          rule('v2', { method: 'GET' }),
          rule('v3', path('/path5'), { method: 'PATCH' }),
          rule('v4', { ...path('/path5'), method: 'PATCH' }),
        ]),
      ],
      [
        ['v1', '/', { method: 'POST' }],
        ['v2', '/'],
        ['404', '/', { method: 'HEAD' }],
        ['v4', '/path5', { method: 'PATCH' }],
      ],
    ],
    [
      'HTTPRouteHostnameIntersection: the most specific host has precedence',
      [
        httpRoute('any', [rule('v1')]),
        httpRoute('wild', [rule('v2')], { hostnames: ['*.a.test'] }),
        httpRoute('longer', [rule('v3')], { hostnames: ['*.b.a.test'] }),
        httpRoute('exact', [rule('v4')], { hostnames: ['x.b.a.test'] }),
      ],
      [
        ['v1', '/', { host: 'a.test' }],
        ['v2', '/', { host: 'x.a.test' }],
        ['v2', '/', { host: 'y.x.a.test' }],
        ['v3', '/', { host: 'y.b.a.test' }],
        ['v4', '/', { host: 'x.b.a.test' }],
      ],
    ],
    [
      'the older of two equal routes has precedence',
      [
        httpRoute('a', [rule('v1')], {}, { creationTimestamp: '2026-01-02T00:00:00Z' }),
        httpRoute('b', [rule('v2')], {}, { creationTimestamp: '2026-01-01T00:00:00Z' }),
      ],
      [['v2', '/']],
    ],
    [
      'HTTPRouteInvalidBackendRefUnknownKind, HTTPRouteInvalidNonExistentBackendRef: 500',
      [
        httpRoute('r', [
          { matches: [path('/kind')], backendRefs: [backend('v1', { group: 'x', kind: 'Other' })] },
          { matches: [path('/missing')], backendRefs: [backend('none')] },
          { matches: [path('/empty')] },
          { matches: [path('/zero')], backendRefs: [backend('v1', { weight: 0 })] },
        ]),
      ],
      [
        ['500', '/kind'],
        ['500', '/missing'],
        ['500', '/empty'],
        ['500', '/zero'],
        ['404', '/'],
      ],
    ],
    [
      'an expression matches whole paths',
      [httpRoute('r', [rule('v1', path('/v[0-9]+/x', 'RegularExpression')), rule('v2', path('/'))])],
      [
        ['v1', '/v12/x'],
        ['v2', '/v12/xy'],
        ['v2', '/a/v1/x'],
      ],
    ],
  ];
  for (const [name, httpRoutes, requests] of CASES) {
    test(name, () => {
      const { snapshot, refused } = begin({ httpRoutes });
      assert.deepEqual(refused, []);
      for (const [expected, target, sent] of requests) {
        assert.equal(taken(snapshot, target, sent), expected, `${target} ${JSON.stringify(sent ?? {})}`);
      }
    });
  }

  const settingsOf = (rules: readonly object[]): ApiObject => {
    const { parts, refused } = begin({ httpRoutes: [httpRoute('r', rules)] });
    assert.deepEqual(refused, []);
    const {
      name: _name,
      match: _match,
      ...settings
    } = parts.flatMap(({ config }) => (config.routes ?? []) as ApiObject[])[0]!;
    return settings;
  };

  const FILTERS: readonly (readonly [name: string, filter: object, expected: object])[] = [
    [
      'HTTPRouteRequestHeaderModifier',
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: {
          set: [{ name: 'X-Set', value: '{a}' }],
          add: [{ name: 'X-Add', value: 'b' }],
          remove: ['X-Remove'],
        },
      },
      {
        requestHeaders: { set: { 'X-Set': '{{a}}' }, add: { 'X-Add': 'b' }, remove: ['X-Remove'] },
        upstream: 'infra.v1.80',
      },
    ],
    [
      'HTTPRouteResponseHeaderModifier',
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'X-Set', value: 'a' }] } },
      { responseHeaders: { set: { 'X-Set': 'a' } }, upstream: 'infra.v1.80' },
    ],
    [
      'HTTPRouteRedirectHostAndStatus',
      { type: 'RequestRedirect', requestRedirect: { hostname: 'example.org', statusCode: 301 } },
      { redirect: { to: '{scheme}://example.org{uri}', status: 301 } },
    ],
    [
      'HTTPRouteRedirectScheme and port',
      { type: 'RequestRedirect', requestRedirect: { scheme: 'https', port: 8443 } },
      { redirect: { to: 'https://{hostname}:8443{uri}', status: 302 } },
    ],
    [
      'HTTPRouteRedirectPath: a prefix',
      {
        type: 'RequestRedirect',
        requestRedirect: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/xyz' }, statusCode: 302 },
      },
      {
        redirect: {
          to: '{scheme}://{hostname}{uri}',
          status: 302,
          regex: { match: '^/foo\\.x(/|$)', replace: '/xyz$1' },
        },
      },
    ],
    [
      'HTTPRouteRedirectPath: the whole path',
      { type: 'RequestRedirect', requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: '/new' } } },
      { redirect: { to: '{scheme}://{hostname}/new', status: 302 } },
    ],
    [
      'HTTPRouteCORS',
      {
        type: 'CORS',
        cors: {
          allowOrigins: ['https://www.foo.com', 'https://*.bar.com'],
          allowMethods: ['GET', 'OPTIONS'],
          allowHeaders: ['x-header-1'],
          exposeHeaders: ['x-header-3'],
          allowCredentials: true,
          maxAge: 3600,
        },
      },
      {
        cors: {
          origins: ['https://www.foo.com', 'https://*.bar.com'],
          methods: ['GET', 'OPTIONS'],
          headers: ['x-header-1'],
          exposed: ['x-header-3'],
          credentials: true,
          maxAge: '3600s',
        },
        upstream: 'infra.v1.80',
      },
    ],
    [
      'HTTPRouteCORS: wildcards, and the defaults of the specification',
      { type: 'CORS', cors: { allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'] } },
      {
        cors: {
          origins: ['*'],
          methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
          credentials: false,
          maxAge: '5s',
        },
        upstream: 'infra.v1.80',
      },
    ],
    [
      'HTTPRouteRewriteHost and path',
      {
        type: 'URLRewrite',
        urlRewrite: { hostname: 'one.example.org', path: { type: 'ReplaceFullPath', replaceFullPath: '/one' } },
      },
      { host: { name: 'one.example.org' }, rewrite: { path: '/one' }, upstream: 'infra.v1.80' },
    ],
    [
      'HTTPRouteRewritePath: a prefix',
      { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/xyz/' } } },
      { rewrite: { regex: { match: '^/foo\\.x(/|$)', replace: '/xyz$1' } }, upstream: 'infra.v1.80' },
    ],
  ];
  for (const [name, filter, expected] of FILTERS) {
    test(name, () => {
      assert.deepEqual(settingsOf([{ ...rule('v1', path('/foo.x/')), filters: [filter] }]), expected);
    });
  }

  const TIMEOUTS: readonly (readonly [timeouts: object, response: string])[] = [
    [{ request: '500ms' }, '500ms'],
    [{ request: '1h1m1s1ms' }, '3661001ms'],
    [{ backendRequest: '2s' }, '2000ms'],
    [{ request: '10s', backendRequest: '2s' }, '2000ms'],
    [{ request: '0s', backendRequest: '2s' }, '2000ms'],
    [{ request: '0s' }, 'none'],
  ];
  for (const [timeouts, response] of TIMEOUTS) {
    test(`HTTPRouteTimeout ${JSON.stringify(timeouts)}: ${response}`, () => {
      assert.deepEqual(settingsOf([{ ...rule('v1'), timeouts }]), { timeouts: { response }, upstream: 'infra.v1.80' });
    });
  }

  test('HTTPRouteWeight: a split, in which missing backends keep their share', () => {
    const refs = [backend('v1', { weight: 9 }), backend('v2', { weight: 1 }), backend('v3', { weight: 0 })];
    const split = [
      { upstream: 'infra.v1.80', weight: 9 },
      { upstream: 'infra.v2.80', weight: 1 },
    ];
    assert.deepEqual(settingsOf([{ backendRefs: refs }]), { split });
    const lost = { upstream: 'kubernetes.no-backend', weight: 5 };
    assert.deepEqual(settingsOf([{ backendRefs: [...refs, backend('none', { weight: 5 })] }]), {
      split: [...split, lost],
    });
  });

  test('a rule with a filter that is not supported answers 500, and the route says why', () => {
    const filters = [{ type: 'ExtensionRef', extensionRef: {} }];
    const { snapshot, parentsOf } = begin({
      httpRoutes: [httpRoute('r', [{ ...rule('v1', path('/a')), filters }, rule('v2', path('/b'))])],
    });
    assert.deepEqual([taken(snapshot, '/a'), taken(snapshot, '/b')], ['500', 'v2']);
    const partly = { Accepted: 'Accepted', PartiallyInvalid: 'UnsupportedValue', ResolvedRefs: 'ResolvedRefs' };
    assert.deepEqual(parentsOf('r'), [partly]);
  });

  const REDIRECT = { type: 'RequestRedirect', requestRedirect: { statusCode: 301 } };
  const REPLACING = { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/x' } };
  const INVALID: readonly (readonly [name: string, filters: readonly object[], reason: string])[] = [
    ['a filter twice', [REDIRECT, REDIRECT], 'UnsupportedValue'],
    ['ExtensionRef', [{ type: 'ExtensionRef', extensionRef: {} }], 'UnsupportedValue'],
    ['CORS without origins', [{ type: 'CORS', cors: {} }], 'UnsupportedValue'],
    ['ReplacePrefixMatch for an exact path', [{ type: 'URLRewrite', urlRewrite: REPLACING }], 'UnsupportedValue'],
    ['the same in a redirect', [{ type: 'RequestRedirect', requestRedirect: REPLACING }], 'UnsupportedValue'],
    ['a redirect and a rewrite', [REDIRECT, { type: 'URLRewrite', urlRewrite: {} }], 'IncompatibleFilters'],
  ];
  for (const [name, filters, reason] of INVALID) {
    test(`a route whose every rule is invalid is not accepted, and answers 500: ${name}`, () => {
      const rules = [{ ...rule('v1', path('/a', 'Exact')), filters }];
      const { snapshot, parentsOf } = begin({ httpRoutes: [httpRoute('r', rules)] });
      assert.equal(taken(snapshot, '/a'), '500');
      assert.deepEqual(parentsOf('r'), [{ Accepted: reason, ResolvedRefs: 'ResolvedRefs' }]);
    });
  }

  test('a route that the configuration refuses reports it', () => {
    const { parentsOf } = begin({ httpRoutes: [httpRoute('r', [rule('v1', path('/a*b', 'Exact'))])] });
    assert.deepEqual(parentsOf('r'), [{ Accepted: 'UnsupportedValue', ResolvedRefs: 'ResolvedRefs' }]);
  });
});
