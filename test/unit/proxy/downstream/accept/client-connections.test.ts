// Open connections of each client: what counts as one client, and the sum over the workers. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientMemory } from '../../../../../core/memory/client-memory.ts';
import { ClientConnections, countedClient } from '../../../../../proxy/downstream/accept/client-connections.ts';
import { listenerSnapshot } from '../../../../support/snapshots.ts';

const limited = listenerSnapshot({ limits: { ...listenerSnapshot().limits, connectionsPerClient: 2 } });

function clientAt(peerAddress: string, isTrusted = false, listener = limited): string {
  return countedClient(listener, { peerAddress, isTrusted } as never);
}

test('a client is an IPv4 address or an IPv6 /64', () => {
  assert.equal(clientAt('192.0.2.1'), 'web 192.0.2.1');
  assert.equal(clientAt('2001:db8::1'), clientAt('2001:db8::ffff:1'));
  assert.notEqual(clientAt('2001:db8::1'), clientAt('2001:db8:0:1::1'));
});

test('trusted proxies, Unix sockets and listeners without the limit are not counted', () => {
  assert.deepEqual(
    [clientAt('192.0.2.1', true), clientAt(''), clientAt('192.0.2.1', false, listenerSnapshot())],
    ['', '', ''],
  );
});

test('counts are a sum over the workers; the list is of one worker, oldest first', () => {
  const clients = ClientMemory.allocate(2, [1, 2]);
  const [one, two] = [0, 1].map(
    (worker) => new ClientConnections<string>({ clients, counts: clients.countsOf(worker) }),
  );
  one!.opened('web a', 'first');
  two!.opened('web a', 'second');
  assert.deepEqual([one!.isFull('web a', 2), two!.isFull('web a', 3), one!.isFull('other a', 1)], [true, false, false]);
  one!.opened('web a', 'third');
  assert.deepEqual([[...one!.of('web a')], [...two!.of('web a')]], [['first', 'third'], ['second']]);
  one!.closed('web a', 'first');
  one!.closed('web a', 'third');
  assert.deepEqual([[...one!.of('web a')], one!.isFull('web a', 2), one!.isFull('web a', 1)], [[], false, true]);
});
