// Endpoints of a service from its EndpointSlices: conditions, ports, families, hints. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointsOfSlices, type SliceView } from '../../../../discovery/kubernetes/endpoint-slices.ts';

const VIEW: SliceView = { protocol: 'http', port: null, family: 'IPv4', hintedZone: '' };
const HTTP = { name: 'http', port: 3000, protocol: 'TCP' };
const METRICS = { name: 'metrics', port: 9090, protocol: 'TCP' };

function slice(endpoints: readonly object[], parts: object = {}) {
  return { addressType: 'IPv4', ports: [HTTP], endpoints, ...parts };
}

function pod(address: string, parts: object = {}) {
  return { addresses: [address], conditions: { ready: true, serving: true, terminating: false }, ...parts };
}

const READY = { ready: true };
const NOT_READY = { ready: false, serving: false, terminating: false };
const LEAVING = { ready: false, serving: true, terminating: true };
const GONE = { ready: false, serving: false, terminating: true };
const uid = (text: string) => ({ targetRef: { kind: 'Pod', name: `pod-${text}`, uid: text } });
const hinted = (...zones: readonly string[]) => ({ hints: { forZones: zones.map((name) => ({ name })) } });

function shown(slices: readonly object[], view: Partial<SliceView> = {}): string {
  const found = endpointsOfSlices(slices as Record<string, unknown>[], { ...VIEW, ...view });
  if (!found.ok) return found.cause;
  return found.endpoints.map(({ host, port, backup }) => `${host}:${port}${backup ? '!' : ''}`).join(' ');
}

const CASES: readonly (readonly [
  name: string,
  slices: readonly object[],
  expected: string,
  view?: Partial<SliceView>,
])[] = [
  [
    'slices of one service are united',
    [slice([pod('10.0.0.1')]), slice([pod('10.0.0.2')])],
    '10.0.0.1:3000 10.0.0.2:3000',
  ],
  ['an endpoint in two slices counts once', [slice([pod('10.0.0.1')]), slice([pod('10.0.0.1')])], '10.0.0.1:3000'],
  [
    'a pod that is ready in one of two slices is ready',
    [slice([pod('10.0.0.1', { conditions: NOT_READY })]), slice([pod('10.0.0.1')])],
    '10.0.0.1:3000',
  ],
  ['absent conditions mean ready', [slice([{ addresses: ['10.0.0.1'] }])], '10.0.0.1:3000'],
  [
    'endpoints that are not ready are left out',
    [slice([pod('10.0.0.1', { conditions: NOT_READY }), pod('10.0.0.2', { conditions: READY })])],
    '10.0.0.2:3000',
  ],
  [
    'terminating endpoints are left out while others are ready',
    [slice([pod('10.0.0.1', { conditions: LEAVING }), pod('10.0.0.2')])],
    '10.0.0.2:3000',
  ],
  [
    'terminating endpoints that still serve are used where none is ready',
    [slice([pod('10.0.0.1', { conditions: LEAVING }), pod('10.0.0.2', { conditions: GONE })])],
    '10.0.0.1:3000',
  ],
  ['a slice without endpoints is an empty set', [slice([], { ports: null })], ''],
  ['endpoints that are null are an empty set', [slice([], { endpoints: null })], ''],
  [
    'a port is selected by its name',
    [slice([pod('10.0.0.1')], { ports: [HTTP, METRICS] })],
    '10.0.0.1:9090',
    { port: 'metrics' },
  ],
  [
    'a name may stand for another number in each slice',
    [slice([pod('10.0.0.1')]), slice([pod('10.0.0.2')], { ports: [{ ...HTTP, port: 8080 }] })],
    '10.0.0.1:3000 10.0.0.2:8080',
    { port: 'http' },
  ],
  ['the only port has no name as a rule', [slice([pod('10.0.0.1')], { ports: [{ port: 80 }] })], '10.0.0.1:80'],
  [
    'of several ports one must be named',
    [slice([pod('10.0.0.1')], { ports: [HTTP, METRICS] })],
    'the service has several ports (http, metrics): set "port" to one of them',
  ],
  [
    'a port that no slice has is a failure',
    [slice([pod('10.0.0.1')])],
    'the service has no port "web", but http',
    { port: 'web' },
  ],
  [
    'ports of other protocols are left out',
    [slice([pod('10.0.0.1')], { ports: [HTTP, { name: 'quic', port: 443, protocol: 'UDP' }] })],
    '10.0.0.1:3000',
  ],
  [
    'a pod with addresses of both families counts once',
    [
      slice([pod('fd00::1', uid('a'))], { addressType: 'IPv6' }),
      slice([pod('10.0.0.1', uid('a')), pod('10.0.0.2', uid('b'))]),
    ],
    '10.0.0.1:3000 10.0.0.2:3000',
  ],
  [
    'by its address of the family that is configured',
    [
      slice([pod('10.0.0.1', uid('a'))]),
      slice([pod('fd00::1', uid('a')), pod('fd00::2', uid('b'))], { addressType: 'IPv6' }),
    ],
    'fd00::1:3000 fd00::2:3000',
    { family: 'IPv6' },
  ],
  ['names are endpoints', [slice([pod('DB.example.com')], { addressType: 'FQDN' })], 'db.example.com:3000'],
  [
    'hints make endpoints for other zones backups',
    [slice([pod('10.0.0.1', hinted('a')), pod('10.0.0.2', hinted('b')), pod('10.0.0.3', hinted('a', 'b'))])],
    '10.0.0.1:3000! 10.0.0.2:3000 10.0.0.3:3000',
    { hintedZone: 'b' },
  ],
  [
    'hints count only where all endpoints have some',
    [slice([pod('10.0.0.1', hinted('a')), pod('10.0.0.2')])],
    '10.0.0.1:3000 10.0.0.2:3000',
    { hintedZone: 'a' },
  ],
  [
    'hints for other zones alone are ignored',
    [slice([pod('10.0.0.1', hinted('a'))])],
    '10.0.0.1:3000',
    { hintedZone: 'b' },
  ],
  [
    'objects of another shape are left out',
    [
      slice([null, 7, {}, { addresses: [] }, { addresses: [7] }, pod('not an address'), pod('10.0.0.1')] as object[]),
      { ports: 7 },
    ],
    '10.0.0.1:3000',
  ],
  ['ports out of range are left out', [slice([pod('10.0.0.1')], { ports: [{ name: 'http', port: 70_000 }] })], ''],
];

describe('EndpointSlices', () => {
  for (const [name, slices, expected, view] of CASES) {
    test(name, () => assert.equal(shown(slices, view), expected));
  }

  test('zone, pod, hostname of a StatefulSet and node are labels', () => {
    const parts = { ...uid('db-0'), zone: 'eu-1a', hostname: 'db-0', nodeName: 'node-7' };
    const found = endpointsOfSlices([slice([pod('10.0.0.1', parts)])], VIEW);
    assert.ok(found.ok);
    const [{ zone, metadata }] = found.endpoints as [(typeof found.endpoints)[number]];
    assert.equal(zone, 'eu-1a');
    assert.deepEqual(metadata, { pod: 'pod-db-0', hostname: 'db-0', node: 'node-7' });
  });
});
