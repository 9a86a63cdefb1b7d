// Routes of TCP sessions: the first whose conditions all hold. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TcpRouteSnapshot } from '../../../../core/snapshot/route.ts';
import { TcpRouter } from '../../../../proxy/routing/tcp-router.ts';

function route(name: string, parts: Partial<TcpRouteSnapshot> = {}): TcpRouteSnapshot {
  const none = { clients: [], not: [], policies: [], overrides: null };
  return { name, listeners: ['db'], ...none, priority: 'default', upstream: 0, ...parts };
}

test('a session takes the first route whose listener, clients and exceptions fit', () => {
  const router = new TcpRouter([
    route('other', { listeners: ['mail'] }),
    route('reports', { clients: ['10.1.0.0/16'], not: [{ clients: ['10.1.9.0/24'] }, { clients: ['10.1.8.0/24'] }] }),
    route('all'),
  ]);
  const cases: readonly (readonly [listener: string, client: string, route: string | undefined])[] = [
    ['db', '10.1.0.1', 'reports'],
    ['db', '10.1.9.1', 'all'],
    ['db', '10.1.8.1', 'all'],
    ['db', '192.0.2.1', 'all'],
    ['db', '', 'all'],
    ['mail', '10.1.0.1', 'other'],
    ['web', '10.1.0.1', undefined],
  ];
  for (const [listenerName, clientAddress, expected] of cases) {
    assert.equal(router.find({ listenerName, clientAddress })?.name, expected, `${listenerName} ${clientAddress}`);
  }
});
