// Gateway API: filters of backendRefs. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../../../../discovery/kubernetes/api-object.ts';
import { backend, begin, httpRoute, path, taken } from '../../../support/gateway-cluster.ts';

const SET = {
  type: 'RequestHeaderModifier',
  requestHeaderModifier: { set: [{ name: 'X-Header', value: '{env.HOME}' }] },
};
const REMOVE = { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['Server'] } };

test('HTTPRouteBackendRequestHeaderModifier: a backend with filters is an upstream of its own', () => {
  const refs = [
    backend('v1', { weight: 3, filters: [SET, REMOVE] }),
    backend('v1'),
    backend('v2', { filters: [REMOVE] }),
  ];
  const { parts, refused } = begin({ httpRoutes: [httpRoute('r', [{ backendRefs: refs }])] });
  assert.deepEqual(refused, []);
  const upstreams: Record<string, object> = {};
  for (const { origin, config } of parts) {
    for (const [name, settings] of Object.entries(config.upstreams ?? {})) {
      const { discover: _discover, ...others } = settings as ApiObject;
      upstreams[name] = { origin, ...others };
    }
  }
  const origin = 'kubernetes httproute infra/r';
  const responseHeaders = { remove: ['Server'] };
  assert.deepEqual(upstreams, {
    'infra.v1.80': { origin: 'kubernetes service infra.v1.80' },
    'infra.v1.80.infra_r.0.0': { origin, requestHeaders: { set: { 'X-Header': '{{env.HOME}}' } }, responseHeaders },
    'infra.v2.80.infra_r.0.2': { origin, responseHeaders },
  });
  const [route] = parts.flatMap(({ config }) => (config.routes ?? []) as ApiObject[]);
  assert.deepEqual(route!['split'], [
    { upstream: 'infra.v1.80.infra_r.0.0', weight: 3 },
    { upstream: 'infra.v1.80', weight: 1 },
    { upstream: 'infra.v2.80.infra_r.0.2', weight: 1 },
  ]);
});

test('another filter of one of several backends answers 500, and its route says why; fields that nobody may edit refuse the route', () => {
  const rewrite = { type: 'URLRewrite', urlRewrite: { hostname: 'b.test' } };
  const length = {
    type: 'RequestHeaderModifier',
    requestHeaderModifier: { set: [{ name: 'Content-Length', value: '1' }] },
  };
  const ruleWith = (filter: object, at: string) => ({
    matches: [path(at)],
    backendRefs: [backend('v1', { filters: [filter] })],
  });
  const several = {
    matches: [path('/a')],
    backendRefs: [backend('v1', { filters: [rewrite] }), backend('v2')],
  };
  const { snapshot, parentsOf } = begin({ httpRoutes: [httpRoute('r', [several, ruleWith(SET, '/b')])] });
  assert.deepEqual([taken(snapshot, '/a'), taken(snapshot, '/b')], ['500', 'v1']);
  const partly = { Accepted: 'Accepted', PartiallyInvalid: 'UnsupportedValue', ResolvedRefs: 'ResolvedRefs' };
  assert.deepEqual(parentsOf('r'), [partly]);
  const refused = begin({ httpRoutes: [httpRoute('r', [ruleWith(length, '/')])] });
  assert.deepEqual(refused.parentsOf('r'), [{ Accepted: 'UnsupportedValue', ResolvedRefs: 'ResolvedRefs' }]);
});

test('the only backend of a rule has any filter: the route has it', () => {
  const filters = [
    { type: 'URLRewrite', urlRewrite: { hostname: 'b.test' } },
    { type: 'CORS', cors: { allowOrigins: ['https://a.test'] } },
    { type: 'RequestMirror', requestMirror: { backendRef: backend('v2') } },
    REMOVE,
  ];
  const moved = { matches: [path('/a')], backendRefs: [backend('v1', { filters })] };
  const redirect = { type: 'RequestRedirect', requestRedirect: { statusCode: 301 } };
  const redirecting = { matches: [path('/b')], backendRefs: [backend('v1', { filters: [redirect] })] };
  const rewriting = { ...moved, matches: [path('/c')], filters: [filters[0]!] };
  const { parts, snapshot, parentsOf } = begin({ httpRoutes: [httpRoute('r', [moved, redirecting, rewriting])] });
  const [route] = parts.flatMap(({ config }) => (config.routes ?? []) as ApiObject[]);
  const { host, cors, mirror, upstream } = route!;
  assert.deepEqual([host, upstream], [{ name: 'b.test' }, 'infra.v1.80.infra_r.0.0']);
  assert.deepEqual((cors as ApiObject)['origins'], ['https://a.test']);
  assert.deepEqual(mirror, [{ to: 'infra.v2.80', percent: 100, maxBody: '1MiB' }]);
  assert.deepEqual(
    ['/a', '/b', '/c'].map((target) => taken(snapshot, target)),
    ['v1', '301', '500'],
  );
  const partly = { Accepted: 'Accepted', PartiallyInvalid: 'UnsupportedValue', ResolvedRefs: 'ResolvedRefs' };
  assert.deepEqual(parentsOf('r'), [partly]);
});
