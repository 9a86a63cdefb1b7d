// Shadow warnings against the router: a route reported as shadowed never matches a request. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compile, newTables } from '../../../config/compile/compile.ts';
import type { LoadResult } from '../../../config/load.ts';
import { routeOf, Router } from '../../../proxy/routing/router.ts';
import { requestHead } from '../../support/request-head.ts';
import { shortOrLong } from '../../support/test-length.ts';
import { load } from '../../unit/config/golden-cases.ts';

const HOSTS = ['a.org', 'b.org', 'x.a.org', 'y.x.a.org'];
const PATHS = ['/', '/a', '/a/', '/a/b', '/ab', '/b'];
const METHODS = ['GET', 'POST'];
const VERSIONS = ['', '1', '12'];

const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });
const some = (...values: string[]): fc.Arbitrary<string[]> => fc.subarray(values, { minLength: 1, maxLength: 2 });
const path = fc.constantFrom(
  ...PATHS,
  ...PATHS.map((exact) => ({ exact })),
  { regex: '^/a' },
  { regex: '/b$' },
  { regex: '.' },
);
const CLIENTS = ['10.0.0.1', '10.1.0.1', '192.0.2.1'];
const unwanted = fc.constantFrom<object>({ path: '/a' }, { method: 'GET' }, { client: '10.0.0.0/8', path: '/b' });
const match = fc.record({
  host: optional(some(...HOSTS, '*.a.org', '*.org')),
  path: optional(fc.array(path, { minLength: 1, maxLength: 2 })),
  method: optional(some(...METHODS)),
  header: optional(fc.constantFrom<object>({ 'x-v': true }, { 'X-V': '1' }, { 'x-v': { prefix: '1' } })),
  query: optional(fc.constantFrom<object>({ q: true }, { q: '1' }, { q: { prefix: '1' } }, { Q: true })),
  cookie: fc.option(fc.constantFrom<object>({ v: true }, { v: { regex: '^1' } }), { nil: undefined, freq: 1 }),
  client: fc.option(some('10.0.0.0/8', '10.0.0.0/16', '192.0.2.1'), { nil: undefined, freq: 1 }),
  protocol: fc.option(fc.constantFrom('http1', 'http2'), { nil: undefined, freq: 1 }),
  not: fc.option(fc.oneof(unwanted, fc.array(unwanted, { minLength: 1, maxLength: 2 })), { nil: undefined, freq: 1 }),
});

/** Every request that the values above can form. */
const REQUESTS = HOSTS.flatMap((host) =>
  PATHS.flatMap((where) =>
    METHODS.flatMap((method) =>
      VERSIONS.flatMap((version) =>
        ['', '?q=1', '?q=12', '?Q=1'].map((query) => {
          const fields = version === '' ? [] : ['x-v', version, 'cookie', `v=${version}`];
          return requestHead({ method, target: where + query, authority: host, fields });
        }),
      ),
    ),
  ),
);

/** The name of the matching route for each request. */
function routed(result: LoadResult): string[] {
  assert.ok(result.ok, JSON.stringify(result));
  const { routes } = compile(result.config, newTables({ endpoints: 4, upstreams: 4, listeners: 4 }), 1);
  const router = new Router(routes, []);
  return REQUESTS.flatMap((request) =>
    CLIENTS.map((client) => routeOf(router.find(request, 'web', client))?.name ?? ''),
  );
}

function shadowedIn(result: LoadResult): number[] {
  const warnings = result.ok ? result.warnings : [];
  return warnings.filter(({ code }) => code === 'FL9001').map(({ path: at }) => Number(/\d+/.exec(at)?.[0]));
}

const configText = (matches: readonly object[]): string =>
  JSON.stringify({
    listeners: [{ name: 'web', bind: '127.0.0.1:0' }],
    routes: matches.map((one, index) => ({ name: `r${index}`, match: one, respond: {} })),
  });

test('a shadowed route never matches', () => {
  let shadowed = 0;
  fc.assert(
    fc.property(fc.array(match, { minLength: 2, maxLength: 6 }), (matches) => {
      const result = load(configText(matches));
      const matching = new Set(routed(result));
      for (const index of shadowedIn(result)) {
        shadowed++;
        assert.ok(!matching.has(`r${index}`), JSON.stringify(matches));
      }
    }),
    { seed: 20_261_121, numRuns: shortOrLong(200, 400) },
  );
  assert.ok(shadowed > 50, `${shadowed} were found`);
});

test('removing a host or path that a warning reports changes no routing', () => {
  let reported = 0;
  fc.assert(
    fc.property(fc.array(match, { minLength: 2, maxLength: 5 }), (matches) => {
      const result = load(configText(matches));
      assert.ok(result.ok);
      const needless = result.warnings.find(({ code }) => code === 'FL9013');
      const place = /^routes\[(\d+)\]\.match\.(host|path)\[(\d+)\]$/.exec(needless?.path ?? '');
      if (place === null) return;
      const [, route, part, item] = place;
      const rest = matches.map((one, index) =>
        index === Number(route)
          ? { ...one, [part!]: (one[part as 'host' | 'path'] ?? []).filter((_, at) => at !== Number(item)) }
          : one,
      );
      reported++;
      assert.deepEqual(routed(load(configText(rest))), routed(result));
    }),
    { seed: 20_261_122, numRuns: shortOrLong(500, 700) },
  );
  assert.ok(reported > 20, `${reported} were reported`);
});
