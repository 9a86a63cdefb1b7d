// Gateway API: the filter RequestMirror, from the objects to the requests that backends get. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { backend, begin, httpRoute, path, taken } from '../../../support/gateway-cluster.ts';
import { endpointSnapshot } from '../../../support/snapshots.ts';

const mirrorOf = (name: string, share: object = {}, ref: object = {}) => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: backend(name, ref), ...share },
});
const EDITS = {
  type: 'RequestHeaderModifier',
  requestHeaderModifier: {
    set: [{ name: 'X-Header-Set', value: 'set-overwrites-values' }],
    add: [{ name: 'X-Header-Add', value: 'add-appends-values' }],
    remove: ['X-Header-Remove'],
  },
};

function ruleOf(at: string, ...filters: readonly object[]) {
  return { matches: [path(at)], filters, backendRefs: [backend('v1')] };
}

/** A worker on routes with these rules; each service has an endpoint. */
function workerOn(...rules: readonly object[]): { readonly bench: ForwardingBench; readonly snapshot: Snapshot } {
  const { snapshot, refused } = begin({ httpRoutes: [httpRoute('r', rules)] });
  assert.deepEqual(refused, []);
  const upstreams = snapshot!.upstreams.map((one, slot) => ({ ...one, endpoints: [endpointSnapshot(slot)] }));
  const made = { ...snapshot!, upstreams };
  return { bench: new ForwardingBench(made), snapshot: made };
}

/** Requests that the services got since the last call, by name. */
function receivedBy({ bench }: ReturnType<typeof workerOn>) {
  const attempts = bench.attempts.splice(0);
  for (const attempt of attempts) attempt.answer();
  return Map.groupBy(attempts, ({ request }) => request.upstream.name.split('.')[1]!);
}

function send(worker: ReturnType<typeof workerOn>, target: string, fields: readonly string[] = []) {
  const client = worker.bench.request({ target, fields });
  const received = receivedBy(worker);
  assert.deepEqual(client.log, ['head 200', 'data ok', 'end']);
  return received;
}

describe('HTTPRouteRequestMirror', () => {
  const worker = workerOn(ruleOf('/mirror', mirrorOf('v2')), ruleOf('/mirror-and-modify', EDITS, mirrorOf('v2')));

  test('the backend of the rule and the mirror get the request', () => {
    const received = send(worker, '/mirror');
    assert.deepEqual([...received.keys()].toSorted(), ['v1', 'v2']);
    for (const [{ request } = assert.fail()] of received.values()) assert.equal(request.head.target, '/mirror');
  });

  test('both get the edited fields', () => {
    const received = send(worker, '/mirror-and-modify', ['X-Header-Set', 'a', 'X-Header-Remove', 'b']);
    const { head } = received.get('v2')![0]!.request;
    assert.equal(head.field('x-header-set'), 'set-overwrites-values');
    assert.equal(head.field('x-header-add'), 'add-appends-values');
    assert.equal(head.field('x-header-remove'), undefined);
    const fields = received.get('v1')![0]!.request.insertedFields;
    assert.deepEqual(head.endToEndFields(), fields);
  });
});

describe('HTTPRouteRequestMultipleMirrors', () => {
  const filters = [mirrorOf('v2'), mirrorOf('v3')];
  const worker = workerOn(ruleOf('/multi-mirror', ...filters), ruleOf('/multi-mirror-and-modify', EDITS, ...filters));

  for (const target of ['/multi-mirror', '/multi-mirror-and-modify']) {
    test(`each mirror gets the request once: ${target}`, () => {
      const received = send(worker, target);
      assert.deepEqual(
        ['v1', 'v2', 'v3'].map((name) => received.get(name)?.length),
        [1, 1, 1],
      );
    });
  }
});

describe('HTTPRouteRequestPercentageMirror', () => {
  const SHARES: readonly (readonly [name: string, share: object, copies: number])[] = [
    ['none given', {}, 500],
    ['percent', { percent: 20 }, 100],
    ['percent 0', { percent: 0 }, 0],
    ['fraction', { fraction: { numerator: 50 } }, 250],
    ['fraction with a denominator', { fraction: { numerator: 1, denominator: 3 } }, 166],
    ['fraction in the largest numbers', { fraction: { numerator: 2 ** 30, denominator: 2 ** 31 - 1 } }, 250],
  ];
  for (const [name, share, copies] of SHARES) {
    test(`${name}: ${copies} of 500`, () => {
      const worker = workerOn(ruleOf('/percent-mirror', EDITS, mirrorOf('v2', share)));
      let count = 0;
      for (let sent = 0; sent < 500; sent++) count += send(worker, '/percent-mirror').get('v2')?.length ?? 0;
      assert.equal(count, copies);
    });
  }
});

describe('a mirror without a backend', () => {
  const WRONG: readonly (readonly [reason: string, filter: object])[] = [
    ['BackendNotFound', mirrorOf('none')],
    ['BackendNotFound', mirrorOf('v2', {}, { port: 81 })],
    ['InvalidKind', mirrorOf('v2', {}, { kind: 'ConfigMap' })],
    ['RefNotPermitted', mirrorOf('v2', {}, { namespace: 'other' })],
    ['BackendNotFound', { type: 'RequestMirror' }],
  ];
  for (const [reason, filter] of WRONG) {
    test(`${JSON.stringify(filter)}: the route is served, and ResolvedRefs is ${reason}`, () => {
      const { parentsOf } = begin({ httpRoutes: [httpRoute('r', [ruleOf('/', filter)])] });
      assert.deepEqual(parentsOf('r'), [{ Accepted: 'Accepted', ResolvedRefs: reason }]);
      assert.deepEqual([...send(workerOn(ruleOf('/', filter, mirrorOf('v3'))), '/').keys()].toSorted(), ['v1', 'v3']);
    });
  }
});

describe('a mirror that contradicts itself or its rule is not accepted', () => {
  const redirect = { type: 'RequestRedirect', requestRedirect: { statusCode: 301 } };
  const WRONG: readonly (readonly [name: string, reason: string, filters: readonly object[]])[] = [
    ['two shares', 'UnsupportedValue', [mirrorOf('v2', { percent: 1, fraction: { numerator: 1 } })]],
    ['more than all', 'UnsupportedValue', [mirrorOf('v2', { fraction: { numerator: 3, denominator: 2 } })]],
    ['a redirect', 'IncompatibleFilters', [redirect, mirrorOf('v2')]],
  ];
  for (const [name, reason, filters] of WRONG) {
    test(name, () => {
      const { parentsOf, snapshot } = begin({ httpRoutes: [httpRoute('r', [ruleOf('/', ...filters)])] });
      assert.deepEqual(parentsOf('r'), [{ Accepted: reason, ResolvedRefs: 'ResolvedRefs' }]);
      assert.equal(taken(snapshot, '/'), '500');
    });
  }
});
