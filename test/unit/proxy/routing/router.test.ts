// Routes: first match wins, and what each part of a match takes. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OtherConditions, RouteMatch, RouteSnapshot } from '../../../../core/snapshot/route.ts';
import { factsOf, firstMismatch, hostOf, protocolsOf } from '../../../../proxy/routing/route-match.ts';
import { routeOf, Router } from '../../../../proxy/routing/router.ts';
import { requestHead } from '../../../support/request-head.ts';

const ANY: RouteMatch = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };

const NO_OTHERS: OtherConditions = { cookies: [], clients: [], protocols: [], not: [] };

function route(name: string, match: Partial<RouteMatch>): RouteSnapshot {
  return {
    name,
    policies: [],
    match: { ...ANY, ...match },
    action: { kind: 'upstream', upstream: 0 },
    hostField: { kind: 'client' },
    overrides: null,
    upload: null,
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
  return firstMismatch({ ...ANY, ...match }, factsOf(head, 'web', '192.0.2.1')) === null;
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
    assert.equal(routeOf(router.find(requestHead({ target: '/a?x=1' }), 'web', '192.0.2.1'))?.name, 'exact');
    assert.equal(routeOf(router.find(requestHead({ target: '/b' }), 'web', '192.0.2.1'))?.name, 'prefix');
  });

  test('no route: null', () => {
    const router = new Router([route('other', { hosts: ['b.test'] })], []);
    assert.equal(router.find(requestHead({ target: '/' }), 'web', '192.0.2.1'), null);
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

  test('by regular expression compares the normalized path', () => {
    const match = { paths: [{ kind: 'regex', value: '^/users/[0-9]+$' }] } as const;
    assert.equal(matches(match, '/users/12?x=1'), true);
    assert.equal(matches(match, '/users/%31%32'), true);
    assert.equal(matches(match, '/users/me'), false);
  });

  test('by host compares `*.` with one label, where only one is wanted', () => {
    const match = { hosts: ['*.a.test', 'x.y.b.test'], others: { ...NO_OTHERS, isOneLabel: true } };
    for (const host of ['x.a.test', 'X.A.TEST:80', 'x.a.test.', 'x.y.b.test']) {
      assert.equal(matches(match, '/', { host }), true, host);
    }
    for (const host of ['x.y.a.test', 'a.test', '.a.test', 'xa.test', 'z.y.b.test', '']) {
      assert.equal(matches(match, '/', { host }), false, host);
    }
  });

  test('by cookie compares its value', () => {
    const match = {
      others: { ...NO_OTHERS, cookies: [{ name: 'beta', match: { kind: 'exact', value: '1' } }] },
    } as const;
    assert.equal(matches(match, '/', { fields: ['Cookie', 'a=2; beta=1; c='] }), true);
    for (const cookie of ['beta=2', 'beta', 'xbeta=1', 'Beta=1', 'beta=2; beta=1']) {
      assert.equal(matches(match, '/', { fields: ['Cookie', cookie] }), false, cookie);
    }
    assert.equal(matches(match, '/'), false);
  });

  test('by client takes the address behind trusted proxies', () => {
    const match = { others: { ...NO_OTHERS, clients: ['10.0.0.0/8', '2001:db8::/32'] } };
    const isIn = (client: string): boolean =>
      firstMismatch({ ...ANY, ...match }, factsOf(requestHead(), 'web', client)) === null;
    assert.deepEqual(['10.1.1.1', '::ffff:10.0.0.1', '2001:db8::1'].map(isIn), [true, true, true]);
    assert.deepEqual(['11.0.0.1', '::1', ''].map(isIn), [false, false, false]);
  });

  test('by protocol compares the version and what runs over it', () => {
    const spoken = (version: string, ...fields: string[]) => protocolsOf(requestHead({ version, fields }));
    assert.deepEqual(spoken('1.0'), ['http1']);
    assert.deepEqual(spoken('2.0'), ['http2']);
    assert.deepEqual(spoken('2.0', 'Content-Type', 'application/grpc+proto'), ['http2', 'grpc']);
    assert.deepEqual(spoken('2.0', 'Content-Type', 'application/grpc-web'), ['http2']);
    assert.deepEqual(spoken('1.1', 'Upgrade', 'h2c, WebSocket'), ['http1', 'websocket']);
    const match = { others: { ...NO_OTHERS, protocols: ['grpc', 'websocket'] } } as const;
    assert.equal(matches(match, '/', { fields: ['upgrade', 'websocket'] }), true);
    assert.equal(matches(match, '/'), false);
  });

  test('excludes requests for which all parts of one of the conditions under not hold', () => {
    const paths = [{ kind: 'prefix', value: '/public' }] as const;
    const not = [
      { ...ANY, paths, methods: ['GET'] },
      { ...ANY, hosts: ['b.test'] },
    ];
    const match = { others: { ...NO_OTHERS, not } };
    assert.equal(matches(match, '/public/x'), false);
    assert.equal(matches(match, '/public/x', { method: 'POST' }), true);
    assert.equal(matches(match, '/other'), true);
    assert.equal(matches(match, '/other', { host: 'b.test' }), false);
  });

  test('names the first part that fails', () => {
    const facts = factsOf(requestHead({ target: '/x', authority: 'a.test' }), 'web', '192.0.2.1');
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
