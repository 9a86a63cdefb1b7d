// Gateways and the parents of HTTPRoutes: attachment, grants, certificates, conditions. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ApiObject, listAt, textAt } from '../../../../discovery/kubernetes/api-object.ts';
import { testCertificate } from '../../../support/certificates.ts';
import {
  backend,
  begin,
  type Conditions,
  gateway,
  HTTP,
  HTTPS,
  httpRoute,
  rule,
  service,
  taken,
} from '../../../support/gateway-cluster.ts';

describe('parents of an HTTPRoute', () => {
  const LISTENERS = [
    { ...HTTP, name: 'wild', hostname: '*.a.test' },
    { ...HTTP, name: 'same', hostname: 'b.test', allowedRoutes: {} },
    {
      ...HTTP,
      name: 'labelled',
      hostname: 'c.test',
      allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'x' } } } },
    },
  ];
  const namespaces = [
    { metadata: { name: 'app', labels: { team: 'x' } } },
    { metadata: { name: 'other', labels: {} } },
  ];
  const parentRefs = [{ name: 'gw', namespace: 'infra' }];
  const begun = (namespace: string, spec: object) =>
    begin({
      gateways: [gateway(LISTENERS)],
      namespaces,
      services: [service('v1', namespace)],
      httpRoutes: [httpRoute('r', [rule('v1')], { parentRefs, ...spec }, { namespace })],
    });

  const CASES: readonly (readonly [namespace: string, spec: object, accepted: string, hosts: readonly string[]])[] = [
    ['app', { hostnames: ['x.a.test'] }, 'Accepted', ['x.a.test']],
    ['app', { hostnames: ['*.x.a.test', 'a.test', '*.test'] }, 'Accepted', ['*.a.test', '*.x.a.test', 'c.test']],
    ['app', { hostnames: ['z.test'] }, 'NoMatchingListenerHostname', []],
    ['app', {}, 'Accepted', ['*.a.test', 'c.test']],
    ['other', {}, 'Accepted', ['*.a.test']],
    ['other', { parentRefs: [{ ...parentRefs[0], sectionName: 'same' }] }, 'NotAllowedByListeners', []],
    ['other', { parentRefs: [{ ...parentRefs[0], sectionName: 'none' }] }, 'NoMatchingParent', []],
    ['other', { parentRefs: [{ ...parentRefs[0], port: 81 }] }, 'NoMatchingParent', []],
    ['infra', {}, 'Accepted', ['*.a.test', 'b.test']],
  ];
  for (const [namespace, spec, accepted, hosts] of CASES) {
    test(`${namespace} ${JSON.stringify(spec)}: ${accepted}`, () => {
      const { parentsOf, parts } = begun(namespace, spec);
      assert.deepEqual(parentsOf('r'), [{ Accepted: accepted, ResolvedRefs: 'ResolvedRefs' }]);
      const routes = parts.flatMap(({ config }) => (config.routes ?? []) as { match: { host: string } }[]);
      assert.deepEqual(routes.map(({ match }) => match.host).toSorted(), hosts);
    });
  }

  test('Gateways of other controllers get no status', () => {
    const other = {
      metadata: { namespace: 'infra', name: 'gw' },
      spec: { gatewayClassName: 'nginx', listeners: [HTTP] },
    };
    const { changes } = begin({ gateways: [other], httpRoutes: [httpRoute('r', [rule('v1')])] });
    assert.deepEqual(
      changes.map(({ path: at }) => at.split('/').at(-2)),
      ['gatewayclasses'],
    );
  });

  test('HTTPRouteReferenceGrant: a service of another namespace needs one', () => {
    const refs = [{ backendRefs: [backend('v1', { namespace: 'app' })] }];
    const grant = {
      metadata: { namespace: 'app', name: 'grant' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'infra' }],
        to: [{ group: '', kind: 'Service', name: 'v1' }],
      },
    };
    const objects = { services: [service('v1', 'app')], httpRoutes: [httpRoute('r', refs)] };
    const without = begin(objects);
    assert.equal(taken(without.snapshot, '/'), '500');
    assert.deepEqual(without.parentsOf('r'), [{ Accepted: 'Accepted', ResolvedRefs: 'RefNotPermitted' }]);
    const granted = begin({ ...objects, referenceGrants: [grant] });
    assert.equal(taken(granted.snapshot, '/'), 'v1');
    assert.deepEqual(granted.parentsOf('r'), [{ Accepted: 'Accepted', ResolvedRefs: 'ResolvedRefs' }]);
  });
});

describe('a Gateway', () => {
  const secret = () => {
    const { cert, key } = testCertificate(['a.test']);
    return { metadata: { namespace: 'infra', name: 'web' }, data: { 'tls.crt': btoa(cert), 'tls.key': btoa(key) } };
  };

  const CASES: readonly (readonly [name: string, listeners: readonly object[], conditions: Conditions])[] = [
    [
      'is programmed',
      [HTTP],
      { Accepted: 'Accepted', Programmed: 'Programmed', ResolvedRefs: 'ResolvedRefs', Conflicted: 'NoConflicts' },
    ],
    [
      'has no such port',
      [{ ...HTTP, port: 81 }],
      { Accepted: 'PortUnavailable', Programmed: 'Invalid', ResolvedRefs: 'ResolvedRefs', Conflicted: 'NoConflicts' },
    ],
    [
      'has a protocol that is not served',
      [{ ...HTTP, protocol: 'TCP' }],
      {
        Accepted: 'UnsupportedProtocol',
        Programmed: 'Invalid',
        ResolvedRefs: 'ResolvedRefs',
        Conflicted: 'NoConflicts',
      },
    ],
    [
      'has other kinds of routes',
      [{ ...HTTP, allowedRoutes: { kinds: [{ kind: 'TLSRoute' }] } }],
      { Accepted: 'Accepted', Programmed: 'Invalid', ResolvedRefs: 'InvalidRouteKinds', Conflicted: 'NoConflicts' },
    ],
    [
      'has no such secret',
      [{ ...HTTPS, tls: { certificateRefs: [{ name: 'none' }] } }],
      { Accepted: 'Accepted', Programmed: 'Invalid', ResolvedRefs: 'InvalidCertificateRef', Conflicted: 'NoConflicts' },
    ],
    [
      'has no grant for a secret',
      [{ ...HTTPS, tls: { certificateRefs: [{ name: 'web', namespace: 'app' }] } }],
      { Accepted: 'Accepted', Programmed: 'Invalid', ResolvedRefs: 'RefNotPermitted', Conflicted: 'NoConflicts' },
    ],
    [
      'has two listeners with one host',
      [HTTP, { ...HTTP, name: 'again' }],
      { Accepted: 'Accepted', Programmed: 'Invalid', ResolvedRefs: 'ResolvedRefs', Conflicted: 'HostnameConflict' },
    ],
  ];
  for (const [name, listeners, expected] of CASES) {
    test(name, () => {
      const { statusOf, conditionsOf } = begin({ gateways: [gateway(listeners)], secrets: [secret()] });
      assert.deepEqual(conditionsOf(listAt(statusOf('gateways/gw'), 'listeners')[0]), expected);
    });
  }

  test('counts attached routes, gives certificates to its listeners, and reports addresses', () => {
    const { statusOf, certificates, snapshot } = begin({
      gateways: [gateway([HTTP, HTTPS])],
      secrets: [secret()],
      httpRoutes: [
        httpRoute('r', [rule('v1')]),
        httpRoute('s', [rule('v2')], { parentRefs: [{ name: 'gw', sectionName: 'https' }] }),
      ],
    });
    const status = statusOf('gateways/gw');
    assert.deepEqual(
      listAt(status, 'listeners').map((one) => (one as ApiObject)['attachedRoutes']),
      [1, 2],
    );
    assert.deepEqual(listAt(status, 'addresses'), [{ type: 'IPAddress', value: '192.0.2.1' }]);
    assert.deepEqual(
      certificates.map(({ origin, listeners }) => [origin, listeners]),
      [['kubernetes secret infra/web', ['secure']]],
    );
    assert.deepEqual([taken(snapshot, '/'), taken(snapshot, '/', { listener: 'secure' })], ['v1', 'v1']);
  });

  test('is not written again where its status is right, and keeps times', () => {
    const first = begin({ httpRoutes: [httpRoute('r', [rule('v1')])] });
    const withStatus = (list: ReadonlyMap<string, ApiObject>, kind: string) =>
      [...list.values()].map((one) => ({
        ...one,
        status: first.statusOf(`${kind}/${textAt(one, 'metadata', 'name')}`),
      }));
    const again = begin({
      gatewayClasses: withStatus(first.cluster.gatewayClasses, 'gatewayclasses'),
      gateways: withStatus(first.cluster.gateways, 'gateways'),
      httpRoutes: withStatus(first.cluster.httpRoutes, 'httproutes'),
    });
    assert.equal(first.changes.length, 3);
    assert.deepEqual(again.changes, []);
  });
});
