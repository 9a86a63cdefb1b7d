// Isolation of listeners: the case GatewayHTTPListenerIsolation of Gateway API's conformance suite, with and without
// hostnames of routes, and hosts of two Gateways. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { begin, gateway, HTTP, httpRoute, path, rule, taken } from '../../../support/gateway-cluster.ts';

const HOSTNAMES = ['', '*.example.com', '*.foo.example.com', 'abc.foo.example.com'] as const;
const LISTENERS = HOSTNAMES.map((hostname, at) => ({ ...HTTP, name: `l${at}`, ...(hostname !== '' && { hostname }) }));
/** A host of each listener, which listeners before it have too. */
const HOSTS = ['bar.com', 'bar.example.com', 'bar.foo.example.com', 'abc.foo.example.com'];

/** A route for each listener, of which the path is its own. */
function routes(spec: object = {}): object[] {
  return HOSTNAMES.map((_, at) => {
    const parentRefs = [{ name: 'gw', sectionName: `l${at}` }];
    return httpRoute(`r${at}`, [rule(`v${at + 1}`, path(`/l${at}`))], { parentRefs, ...spec });
  });
}

describe('requests reach the routes of the most specific listener alone', () => {
  const SPECS = [{}, { hostnames: ['bar.com', '*.example.com', '*.foo.example.com', 'abc.foo.example.com'] }];
  for (const spec of SPECS) {
    test(`with ${JSON.stringify(spec)}`, () => {
      const { snapshot, refused } = begin({ gateways: [gateway(LISTENERS)], httpRoutes: routes(spec) });
      assert.deepEqual(refused, []);
      for (const [own, host] of HOSTS.entries()) {
        for (const at of HOSTS.keys()) {
          const expected = at === own ? `v${at + 1}` : '404';
          assert.equal(taken(snapshot, `/l${at}`, { host }), expected, `${host}/l${at}`);
        }
      }
    });
  }
});

test('all listeners of a port count, of whichever Gateway; a listener that is not usable does not', () => {
  const wide = gateway([HTTP]);
  const narrow = { ...gateway([{ ...HTTP, hostname: 'a.test' }]), metadata: { namespace: 'infra', name: 'narrow' } };
  const closed = {
    ...gateway([{ ...HTTP, port: 9, hostname: 'b.test' }]),
    metadata: { namespace: 'infra', name: 'no' },
  };
  const { snapshot } = begin({
    gateways: [wide, narrow, closed],
    httpRoutes: [
      httpRoute('wide', [rule('v1')]),
      httpRoute('narrow', [rule('v2', path('/narrow'))], { parentRefs: [{ name: 'narrow' }] }),
    ],
  });
  const targets = [
    ['a.test', '/narrow', 'v2'],
    ['a.test', '/', '404'],
    ['b.test', '/', 'v1'],
    ['c.test', '/narrow', 'v1'],
  ] as const;
  for (const [host, target, expected] of targets) assert.equal(taken(snapshot, target, { host }), expected, host);
});

test('no route is added where none of a wider listener would match', () => {
  const { parts } = begin({ gateways: [gateway(LISTENERS.slice(1))], httpRoutes: [routes()[3]!] });
  assert.deepEqual(
    parts.flatMap(({ config }) => config.routes ?? []).map((one) => (one as { name: string }).name),
    ['httproute.infra.r3.1'],
  );
});
