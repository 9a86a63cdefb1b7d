// Routes: first match wins, and what each part of a match takes. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RouteMatch, RouteSnapshot } from '../../../../core/snapshot/route.ts';
import { factsOf, firstMismatch, hostOf } from '../../../../proxy/routing/route-match.ts';
import { routeOf, Router } from '../../../../proxy/routing/router.ts';
import { requestHead } from '../../../support/request-head.ts';

const ANY: RouteMatch = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };

function route(name: string, match: Partial<RouteMatch>): RouteSnapshot {
  return {
    name,
    policies: [],
    match: { ...ANY, ...match },
    action: { kind: 'upstream', upstream: 0 },
    hostField: { kind: 'client' },
    overrides: null,
    bodyBytes: 0,
    priority: 'default',
  };
}

function matches(
  match: Partial<RouteMatch>,
  target: string,
  more: { host?: string; method?: string; fields?: string[] } = {},
): boolean {
  const head = requestHead({
    target,
    authority: more.host ?? 'a.test',
    method: more.method ?? 'GET',
    fields: more.fields ?? [],
  });
  return firstMismatch({ ...ANY, ...match }, factsOf(head, 'web')) === null;
}

describe('Router', () => {
  test('the first route that matches wins', () => {
    const router = new Router(
      [
        route('exact', { paths: [{ kind: 'exact', value: '/a' }] }),
        route('prefix', { paths: [{ kind: 'prefix', value: '/' }] }),
        route('never', {}),
      ],
      [],
    );
    assert.equal(routeOf(router.find(requestHead({ target: '/a?x=1' }), 'web'))?.name, 'exact');
    assert.equal(routeOf(router.find(requestHead({ target: '/b' }), 'web'))?.name, 'prefix');
  });

  test('no route: null', () => {
    const router = new Router([route('other', { hosts: ['b.test'] })], []);
    assert.equal(router.find(requestHead({ target: '/' }), 'web'), null);
  });
});

describe('a match', () => {
  test('by path prefix takes whole segments', () => {
    const match = { paths: [{ kind: 'prefix', value: '/v1' }] } as const;
    assert.equal(matches(match, '/v1'), true);
    assert.equal(matches(match, '/v1/x'), true);
    assert.equal(matches(match, '/v1?x'), true);
    assert.equal(matches(match, '/v10'), false);
  });

  test('by path prefix that ends in a slash takes what is below', () => {
    const match = { paths: [{ kind: 'prefix', value: '/v1/' }] } as const;
    assert.equal(matches(match, '/v1/'), true);
    assert.equal(matches(match, '/v1/x'), true);
    assert.equal(matches(match, '/v1'), false);
  });

  test('by host ignores case, port and a trailing dot', () => {
    const match = { hosts: ['api.test'] };
    for (const host of ['api.test', 'API.Test', 'api.test:8080', 'api.test.', 'api.test.:80']) {
      assert.equal(matches(match, '/', { host }), true, host);
    }
    assert.equal(matches(match, '/', { host: 'x.api.test' }), false);
  });

  test('by wildcard takes subdomains of any depth but not the name itself', () => {
    const match = { hosts: ['*.api.test'] };
    assert.equal(matches(match, '/', { host: 'x.api.test' }), true);
    assert.equal(matches(match, '/', { host: 'x.y.api.test:1' }), true);
    assert.equal(matches(match, '/', { host: 'api.test' }), false);
    assert.equal(matches(match, '/', { host: '.api.test' }), false);
    assert.equal(matches(match, '/', { host: 'evilapi.test' }), false);
  });

  test('by method, header and query', () => {
    assert.equal(matches({ methods: ['POST'] }, '/', { method: 'POST' }), true);
    assert.equal(matches({ methods: ['POST'] }, '/', { method: 'post' }), false);
    const header = { headers: [{ name: 'x-version', match: { kind: 'exact', value: '2' } }] } as const;
    assert.equal(matches(header, '/', { fields: ['X-Version', '2'] }), true);
    assert.equal(matches(header, '/', { fields: ['X-Version', '3'] }), false);
    assert.equal(matches(header, '/'), false);
    const query = { query: [{ name: 'beta', match: { kind: 'present' } }] } as const;
    assert.equal(matches(query, '/?beta'), true);
    assert.equal(matches(query, '/?a=1&beta=%20'), true);
    assert.equal(matches(query, '/?alphabeta=1'), false);
    assert.equal(matches(query, '/'), false);
  });

  test('names the first part that fails', () => {
    const facts = factsOf(requestHead({ target: '/x', authority: 'a.test' }), 'web');
    assert.equal(firstMismatch({ ...ANY, listeners: ['admin'] }, facts), 'listener');
    assert.equal(firstMismatch({ ...ANY, hosts: ['b'], methods: ['PUT'] }, facts), 'host');
    assert.equal(firstMismatch({ ...ANY, methods: ['PUT'] }, facts), 'method');
  });
});

test('hostOf takes IPv6 literals apart', () => {
  assert.equal(hostOf('[::1]:8080'), '[::1]');
  assert.equal(hostOf('[::1]'), '[::1]');
  assert.equal(hostOf(''), '');
});
