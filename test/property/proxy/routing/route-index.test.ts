// The index of routes against a scan in file order: any routes and any request give the same route. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OtherConditions, RouteMatch, RouteSnapshot, ValueMatch } from '../../../../core/snapshot/route.ts';
import { RouteIndex } from '../../../../proxy/routing/route-index.ts';
import { factsOf, firstMismatch, type RoutingFacts } from '../../../../proxy/routing/route-match.ts';
import { routeOf, Router } from '../../../../proxy/routing/router.ts';
import { requestHead } from '../../../support/request-head.ts';
import { listenerSnapshot, routeSnapshot } from '../../../support/snapshots.ts';

const HOSTS = ['', 'a.org', 'b.org', 'x.a.org', 'y.x.a.org', '.a.org', 'xa.org', 'org', 'a.org.', '[::1]', 'a..org'];
const PATTERNS = ['a.org', 'b.org', 'x.a.org', '*.a.org', '*.org', '*.x.a.org', 'org', '[::1]', '*..org'];
const SEGMENTS = ['a', 'b', 'ab', '', '%2f', 'c.d'];

const path = fc
  .tuple(fc.array(fc.constantFrom(...SEGMENTS), { maxLength: 4 }), fc.boolean())
  .map(([segments, isOpen]) => `/${segments.join('/')}${isOpen ? '/' : ''}`);
const anyPath = fc.oneof({ weight: 8, arbitrary: path }, fc.constantFrom('', '*', '//', '/a'.repeat(40)));
const pathMatch: fc.Arbitrary<ValueMatch> = fc.oneof(
  fc.record({ kind: fc.constant('exact' as const), value: anyPath }),
  fc.record({ kind: fc.constant('prefix' as const), value: anyPath }),
  fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('^/a(/|$)', 'b$', '^/ab?/', '(?i)C[.]D') }),
  fc.constant({ kind: 'present' as const }),
);
const few = <Value>(item: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant<Value[]>([]) }, fc.array(item, { minLength: 1, maxLength: 3 }));
const plain: fc.Arbitrary<RouteMatch> = fc.record({
  hosts: few(fc.constantFrom(...PATTERNS)),
  paths: few(pathMatch),
  methods: fc.constantFrom([], [], ['GET'], ['POST']),
  headers: fc.constantFrom([], [], [{ name: 'x-v', match: { kind: 'exact' as const, value: '1' } }]),
  query: fc.constantFrom([], [], [{ name: 'q', match: { kind: 'present' as const } }]),
  listeners: fc.constantFrom([], [], ['web'], ['local']),
});
const others: fc.Arbitrary<OtherConditions> = fc.record({
  cookies: fc.constantFrom([], [{ name: 'beta', match: { kind: 'exact' as const, value: '1' } }]),
  clients: fc.constantFrom([], ['10.0.0.0/8'], ['192.0.2.1', '2001:db8::/32']),
  protocols: fc.constantFrom<OtherConditions['protocols'][]>([], ['http1'], ['grpc', 'websocket']),
  not: few(plain),
});
const match: fc.Arbitrary<RouteMatch> = fc.oneof(
  { weight: 3, arbitrary: plain },
  fc.tuple(plain, others).map(([conditions, more]) => ({ ...conditions, others: more })),
);
const request = fc.record({
  host: fc.constantFrom(...HOSTS),
  target: fc.tuple(anyPath, fc.constantFrom('', '?q=1')).map(([before, query]) => before + query),
  method: fc.constantFrom('GET', 'POST'),
  fields: fc.constantFrom<string[]>(
    [],
    ['x-v', '1'],
    ['cookie', 'a=b; beta=1'],
    ['content-type', 'application/grpc'],
    ['upgrade', 'websocket', 'cookie', 'beta=2'],
  ),
  client: fc.constantFrom('', '10.1.2.3', '192.0.2.1', '::ffff:10.0.0.1', '2001:db8::9'),
});

function factsFor({
  host,
  target,
  method,
  fields,
  client = '192.0.2.1',
}: {
  host: string;
  target: string;
  method: string;
  fields: string[];
  client?: string;
}) {
  return factsOf(requestHead({ authority: host, target, method, fields }), 'web', client);
}

function scan(routes: readonly RouteSnapshot[], facts: RoutingFacts): RouteSnapshot | null {
  return routes.find((route) => firstMismatch(route.match, facts) === null) ?? null;
}

test('the index finds the route that a scan in file order finds', () => {
  fc.assert(
    fc.property(
      fc.array(match, { maxLength: 24 }),
      fc.array(request, { minLength: 1, maxLength: 12 }),
      (matches, all) => {
        const routes = matches.map((one, position) => routeSnapshot({ name: `r${position}`, match: one }));
        const index = new RouteIndex(routes);
        const router = new Router(routes, [
          listenerSnapshot({ pathNormalization: { ambiguous: 'keep', forward: 'received' } }),
        ]);
        for (const one of all) {
          const facts = factsFor(one);
          const expected = scan(routes, facts)?.name;
          assert.equal(index.find(facts)?.name, expected);
          assert.equal(routeOf(router.find(facts.head, 'web', facts.clientAddress))?.name, expected);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a route with very many hosts and paths keeps its place in the order', () => {
  const hosts = Array.from({ length: 100 }, (_, at) => `h${at}.org`);
  const paths = Array.from({ length: 100 }, (_, at): ValueMatch => ({ kind: 'prefix', value: `/p${at}` }));
  const rest = { methods: [], headers: [], query: [], listeners: [] };
  const routes = [
    routeSnapshot({ name: 'first', match: { hosts: ['h1.org'], paths: [{ kind: 'exact', value: '/p1' }], ...rest } }),
    routeSnapshot({ name: 'many', match: { hosts, paths, ...rest } }),
    routeSnapshot({ name: 'last', match: { hosts: ['h1.org'], paths: [], ...rest } }),
  ];
  const index = new RouteIndex(routes);
  const find = (host: string, target: string) =>
    index.find(factsFor({ host, target, method: 'GET', fields: [] }))?.name;
  assert.deepEqual(
    [
      find('h1.org', '/p1'),
      find('h1.org', '/p2/x'),
      find('h1.org', '/q'),
      find('h99.org', '/p99'),
      find('h2.org', '/q'),
    ],
    ['first', 'many', 'last', 'many', undefined],
  );
});

test('the lookups for a long path are bounded by the longest prefix', () => {
  const rest = { methods: [], headers: [], query: [], listeners: [] };
  const routes = Array.from({ length: 10 }, (_, at) =>
    routeSnapshot({ match: { hosts: [], paths: [{ kind: 'prefix', value: `/p${at}` }], ...rest } }),
  );
  const index = new RouteIndex(routes);
  const facts = factsFor({ host: 'a.org', target: '/'.repeat(500_000), method: 'GET', fields: [] });
  const beganMs = performance.now();
  for (let round = 0; round < 1000; round++) assert.equal(index.find(facts), null);
  assert.ok(performance.now() - beganMs < 1000);
});
