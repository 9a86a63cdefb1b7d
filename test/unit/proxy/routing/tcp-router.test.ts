// Routes of TCP sessions: the first whose conditions all hold. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TcpRouteSnapshot } from '../../../../core/snapshot/route.ts';
import { TcpRouter } from '../../../../proxy/routing/tcp-router.ts';

function route(name: string, parts: Partial<TcpRouteSnapshot> = {}): TcpRouteSnapshot {
  const none = { clients: [], serverNames: [], alpn: [], not: [], policies: [], overrides: null };
  return { name, listeners: ['db'], ...none, priority: 'default', upstream: 0, ...parts };
}

const NOT = { clients: [], serverNames: [], alpn: [] };

interface Case {
  readonly listener?: string;
  readonly client?: string;
  readonly name?: string;
  readonly offered?: readonly string[];
  readonly route: string | undefined;
}

function routed(routes: readonly TcpRouteSnapshot[], cases: readonly Case[]): void {
  const router = new TcpRouter(routes);
  for (const { listener = 'db', client = '192.0.2.1', name = '', offered = [], route: expected } of cases) {
    const facts = { listenerName: listener, clientAddress: client, serverName: name, protocols: offered };
    assert.equal(router.find(facts)?.name, expected, JSON.stringify(facts));
  }
}

test('a session takes the first route whose listener, clients and exceptions fit', () => {
  routed(
    [
      route('other', { listeners: ['mail'] }),
      route('reports', {
        clients: ['10.1.0.0/16'],
        not: [
          { ...NOT, clients: ['10.1.9.0/24'] },
          { ...NOT, clients: ['10.1.8.0/24'] },
        ],
      }),
      route('all'),
    ],
    [
      { client: '10.1.0.1', route: 'reports' },
      { client: '10.1.9.1', route: 'all' },
      { client: '10.1.8.1', route: 'all' },
      { route: 'all' },
      { client: '', route: 'all' },
      { listener: 'mail', client: '10.1.0.1', route: 'other' },
      { listener: 'web', client: '10.1.0.1', route: undefined },
    ],
  );
});

test('server names are exact, or those below a domain; a route without them takes clients without a name', () => {
  const names = ['db.example.com', '*.shop.example.com'];
  const inner = { ...NOT, serverNames: ['*.inner.example.com'] };
  const cases: readonly Case[] = [
    { name: 'db.example.com', route: 'named' },
    { name: 'x.db.example.com', route: 'below' },
    { name: 'eu.shop.example.com', route: 'named' },
    { name: 'a.eu.shop.example.com', route: 'named' },
    { name: 'shop.example.com', route: 'below' },
    { name: '.shop.example.com', route: 'below' },
    { name: 'ashop.example.com', route: 'below' },
    { name: '*.shop.example.com', route: 'named' },
    { name: 'a.inner.example.com', route: 'rest' },
    { name: 'example.com', route: 'rest' },
    { name: '', route: 'rest' },
  ];
  const below = route('below', { serverNames: ['*.example.com'], not: [inner] });
  routed([route('named', { serverNames: names }), below, route('rest')], cases);
  routed([route('named', { serverNames: names })], [{ name: '', route: undefined }]);
});

test('protocols match where the client offers one of them, beside a server name', () => {
  const routes = [
    route('named', { serverNames: ['a.test'], alpn: ['h2'] }),
    route('web', { alpn: ['h2', 'http/1.1'], not: [{ ...NOT, alpn: ['acme-tls/1'] }] }),
    route('rest', { listeners: ['db', 'other'] }),
  ];
  const cases: readonly Case[] = [
    { name: 'a.test', offered: ['http/1.1', 'h2'], route: 'named' },
    { name: 'a.test', offered: ['http/1.1'], route: 'web' },
    { name: 'b.test', offered: ['h2'], route: 'web' },
    { offered: ['h2', 'acme-tls/1'], route: 'rest' },
    { offered: ['H2'], route: 'rest' },
    { name: 'a.test', route: 'rest' },
    { listener: 'other', name: 'a.test', offered: ['h2'], route: 'rest' },
  ];
  routed(routes, cases);
});

test('a session lacks a protocol only where another protocol alone would give it a route', () => {
  const router = new TcpRouter([
    route('named', {
      serverNames: ['a.test'],
      alpn: ['h2'],
      clients: ['10.0.0.0/8'],
      not: [{ ...NOT, clients: ['10.9.0.0/16'] }],
    }),
    route('others', { listeners: ['web'], not: [{ ...NOT, alpn: ['h2'] }] }),
    route('none', { listeners: ['void'], alpn: ['h2'], not: [{ ...NOT, alpn: ['h2'] }] }),
  ]);
  for (const [listenerName, clientAddress, serverName, protocol, expected] of [
    ['db', '10.0.0.1', 'a.test', 'imap', true],
    ['db', '192.0.2.1', 'a.test', 'imap', false],
    ['db', '10.9.0.1', 'a.test', 'imap', false],
    ['db', '10.0.0.1', 'b.test', 'imap', false],
    ['web', '192.0.2.1', '', 'h2', true],
    ['void', '192.0.2.1', '', 'imap', false],
    ['other', '10.0.0.1', 'a.test', 'imap', false],
  ] as const) {
    const facts = { listenerName, clientAddress, serverName, protocols: [protocol] };
    assert.equal(router.find(facts), null);
    assert.equal(router.lacksProtocol(facts), expected, JSON.stringify(facts));
  }
});
