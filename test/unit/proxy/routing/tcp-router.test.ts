// Routes of TCP sessions: the first whose conditions all hold. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TcpRouteSnapshot } from '../../../../core/snapshot/route.ts';
import { TcpRouter } from '../../../../proxy/routing/tcp-router.ts';

function route(name: string, parts: Partial<TcpRouteSnapshot> = {}): TcpRouteSnapshot {
  const none = { clients: [], serverNames: [], not: [], policies: [], overrides: null };
  return { name, listeners: ['db'], ...none, priority: 'default', upstream: 0, ...parts };
}

const NOT = { clients: [], serverNames: [] };

interface Case {
  readonly listener?: string;
  readonly client?: string;
  readonly name?: string;
  readonly route: string | undefined;
}

function routed(routes: readonly TcpRouteSnapshot[], cases: readonly Case[]): void {
  const router = new TcpRouter(routes);
  for (const { listener = 'db', client = '192.0.2.1', name = '', route: expected } of cases) {
    const facts = { listenerName: listener, clientAddress: client, serverName: name };
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
