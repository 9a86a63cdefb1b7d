// Listeners: where they bind, what hinders them, and how they live through reloads and drains. Thread: main.

import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { BoundSocket, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { LISTENER_FIELD } from '../../../../core/memory/lane-fields.ts';
import { ListenError } from '../../../../proxy/downstream/accept/listen-address.ts';
import { RawClient } from '../../../support/raw-client.ts';
import { listenerSnapshot } from '../../../support/snapshots.ts';
import { ask, connected, GET, onPort, withDirectory, withWorkers } from './listener-bench.ts';

describe('binding', () => {
  test('the system may choose the port, which is reported', () =>
    withWorkers(1, async ([worker], starter) => {
      const [bound] = await worker!.apply([onPort(0)]);
      assert.ok(bound!.port > 0);
      assert.deepEqual(bound, { name: 'web', address: `127.0.0.1:${bound!.port}`, port: bound!.port });
      const client = await RawClient.connect({ port: bound!.port });
      assert.equal(await ask(client, starter), 'here');
      client.destroy();
    }));

  test('several workers share a port', () =>
    withWorkers(2, async ([one, two], starter, region) => {
      const [bound] = await one!.apply([onPort(0)]);
      const [again] = await two!.apply([onPort(bound!.port)]);
      assert.equal(again!.address, bound!.address);
      const clients: RawClient[] = [];
      while (clients.length < 40) clients.push(await RawClient.connect({ port: bound!.port }));
      for (const client of clients) assert.equal(await ask(client, starter), 'here');
      const taken = [one!.openConnections, two!.openConnections];
      assert.equal(taken[0]! + taken[1]!, 40);
      assert.ok(Math.min(...taken) > 0, `shares ${taken.join(' and ')}`);
      assert.equal(region.capacity.workers, 2);
      for (const client of clients) client.destroy();
    }));

  test('a port that is taken is named, and the error says what is wrong', () =>
    withWorkers(1, async ([worker]) => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as { port: number };
      const failed = worker!.apply([onPort(0, { name: 'good' }), onPort(port)]);
      await assert.rejects(failed, (error: ListenError) => {
        assert.ok(error instanceof ListenError);
        assert.deepEqual([error.listener, error.address], ['web', `127.0.0.1:${port}`]);
        assert.equal(error.message, `something else listens on 127.0.0.1:${port} (EADDRINUSE)`);
        return true;
      });
      other.close();
    }));

  test('an address that the machine has not is said so', () =>
    withWorkers(1, async ([worker]) => {
      const bind = { kind: 'tcp', host: '192.0.2.1', port: 0 } as const;
      await assert.rejects(worker!.apply([listenerSnapshot({ bind })]), /this machine has no address 192\.0\.2\.1:0/);
    }));

  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
  test('[::] takes both families, and an IPv4 peer is shown as IPv4', { skip: !hasIpv6 && 'no IPv6 here' }, () =>
    withWorkers(1, async ([worker], starter) => {
      const [bound] = await worker!.apply([listenerSnapshot({ bind: { kind: 'tcp', host: '::', port: 0 } })]);
      assert.equal(bound!.address, `[::]:${bound!.port}`);
      for (const [host, peer] of [
        ['127.0.0.1', '127.0.0.1'],
        ['::1', '::1'],
      ] as const) {
        const client = await RawClient.connect({ host, port: bound!.port });
        client.send(GET);
        const exchange = await starter.next();
        assert.equal(exchange.client.connection.peerAddress, peer);
        exchange.answer();
        client.destroy();
      }
    }),
  );

  test('an inherited descriptor is served', () =>
    withWorkers(2, async ([worker, second], starter) => {
      const held = new BoundSocket({ host: '127.0.0.1', port: 0 });
      KEPT.push(held);
      const listener = listenerSnapshot({ bind: { kind: 'fd', fd: held.fd() } });
      const [bound] = await worker!.apply([listener]);
      assert.equal(bound!.address, `127.0.0.1:${held.address().port}`);
      const client = await RawClient.connect({ port: bound!.port });
      assert.equal(await ask(client, starter), 'here');
      client.destroy();
      assert.deepEqual(await second!.apply([listener]), [{ name: 'web', address: `fd:${held.fd()}`, port: 0 }]);
    }));
});

/** A collected BoundSocket closes its descriptor, which is somebody else's by then. */
const KEPT: BoundSocket[] = [];

describe('Unix sockets', () => {
  test('are the first worker\u2019s, open to all, and go with their listener', () =>
    withDirectory((directory) =>
      withWorkers(2, async ([first, second], starter) => {
        const socketPath = path.join(directory, 'web.sock');
        const listener = listenerSnapshot({ bind: { kind: 'unix', path: socketPath } });
        assert.deepEqual(await second!.apply([listener]), [{ name: 'web', address: `unix:${socketPath}`, port: 0 }]);
        assert.equal(statSync(socketPath, { throwIfNoEntry: false }), undefined);
        await first!.apply([listener]);
        assert.equal(statSync(socketPath).mode & 0o777, 0o666);
        const client = await RawClient.connect({ path: socketPath });
        client.send(GET);
        const exchange = await starter.next();
        const { peerAddress, peerPort, isTrusted } = exchange.client.connection;
        assert.deepEqual([peerAddress, peerPort, isTrusted], ['', 0, false]);
        exchange.client.cut();
        await client.whenEnded();
        await first!.apply([]);
        assert.equal(statSync(socketPath, { throwIfNoEntry: false }), undefined);
      }),
    ));

  test('a file that a killed process left is replaced, a live one is not', () =>
    withDirectory((directory) =>
      withWorkers(1, async ([worker], starter) => {
        const socketPath = path.join(directory, 'web.sock');
        const stale = new BoundSocket({ path: socketPath } as object);
        KEPT.push(stale);
        const listener = listenerSnapshot({ bind: { kind: 'unix', path: socketPath } });
        await worker!.apply([listener]);
        const client = await RawClient.connect({ path: socketPath });
        assert.equal(await ask(client, starter), 'here');
        client.destroy();
        await withWorkers(1, async ([other]) => {
          await assert.rejects(other!.apply([listener]), /something else listens on unix:.*web\.sock \(EADDRINUSE\)/);
        });
      }),
    ));

  test('a file that is no socket is left alone', () =>
    withDirectory((directory) =>
      withWorkers(1, async ([worker]) => {
        const filePath = path.join(directory, 'notes.txt');
        writeFileSync(filePath, 'keep me');
        const listener = listenerSnapshot({ bind: { kind: 'unix', path: filePath } });
        await assert.rejects(worker!.apply([listener]), ListenError);
        assert.equal(statSync(filePath).size, 7);
      }),
    ));
});

describe('reloads', () => {
  test('a listener that stays keeps its socket and its connections, with new settings for new ones', () =>
    withWorkers(1, async ([worker], starter) => {
      const [bound] = await worker!.apply([onPort(0)]);
      const before = await RawClient.connect({ port: bound!.port });
      assert.equal(await ask(before, starter), 'here');
      const limits = { ...onPort(0).limits, requestLineBytes: 32 };
      const [after] = await worker!.apply([onPort(bound!.port, { limits, index: 1, trustedProxies: ['127.0.0.0/8'] })]);
      assert.deepEqual(after, bound);
      const long = `GET /${'a'.repeat(40)} HTTP/1.1\r\nHost: a\r\n\r\n`;
      before.send(long);
      const exchange = await starter.next();
      assert.deepEqual([exchange.client.connection.listenerIndex, exchange.client.connection.isTrusted], [1, false]);
      exchange.answer();
      assert.equal((await before.readResponse()).status, 200);
      const fresh = await RawClient.connect({ port: bound!.port });
      fresh.send(long);
      assert.equal((await fresh.readResponse()).status, 414);
      assert.equal(starter.refusedOn[0]!.isTrusted, true);
      before.destroy();
      fresh.destroy();
    }));

  test('a listener that is gone takes no more, and its connections go on', () =>
    withWorkers(1, async ([worker], starter) => {
      const [first, second] = await worker!.apply([onPort(0, { name: 'one' }), onPort(0, { name: 'two', index: 1 })]);
      const client = await RawClient.connect({ port: first!.port });
      assert.equal(await ask(client, starter), 'here');
      assert.deepEqual(await worker!.apply([onPort(second!.port, { name: 'two' })]), [second]);
      await assert.rejects(RawClient.connect({ port: first!.port }), /ECONNREFUSED/);
      assert.equal(await ask(client, starter), 'here');
      client.destroy();
    }));

  test('two at once are applied one after the other, and no socket is forgotten', () =>
    withWorkers(1, async ([worker], starter) => {
      const [bound] = await worker!.apply([onPort(0)]);
      const { port } = bound!;
      await worker!.apply([]);
      const applied = [onPort(port), onPort(port, { index: 1 })].map((listener) => worker!.apply([listener]));
      assert.deepEqual(await Promise.all(applied), [[bound], [bound]]);
      const client = await RawClient.connect({ port });
      client.send(GET);
      const exchange = await starter.next();
      assert.equal(exchange.client.connection.listenerIndex, 1);
      exchange.answer();
      await client.readResponse();
      client.destroy();
      await worker!.apply([]);
      await assert.rejects(RawClient.connect({ port }), /ECONNREFUSED/);
    }));

  test('where one can not be bound nothing changes', () =>
    withWorkers(1, async ([worker], starter) => {
      const [bound] = await worker!.apply([onPort(0, { name: 'one' })]);
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as { port: number };
      await assert.rejects(worker!.apply([onPort(0, { name: 'new' }), onPort(port, { name: 'bad' })]), ListenError);
      const client = await RawClient.connect({ port: bound!.port });
      assert.equal(await ask(client, starter), 'here');
      client.destroy();
      other.close();
    }));
});

describe('connections', () => {
  test('above the limit over all workers are closed at once, and counted', () =>
    withWorkers(2, async ([one, two], starter, region) => {
      const limits = { ...onPort(0).limits, connections: 2 };
      const [bound] = await one!.apply([onPort(0, { limits })]);
      await two!.apply([onPort(bound!.port, { limits })]);
      const clients = [await RawClient.connect({ port: bound!.port }), await RawClient.connect({ port: bound!.port })];
      for (const client of clients) assert.equal(await ask(client, starter), 'here');
      const third = await RawClient.connect({ port: bound!.port });
      await third.whenEnded();
      const refused = [0, 1].map(
        (worker) => region.doubles[region.listenerLane(worker, 0) + LISTENER_FIELD.connectionsRefused]!,
      );
      assert.equal(refused[0]! + refused[1]!, 1);
      clients[0]!.destroy();
      while (one!.openConnections + two!.openConnections > 1) await new Promise((resolve) => setTimeout(resolve, 2));
      const fourth = await RawClient.connect({ port: bound!.port });
      assert.equal(await ask(fourth, starter), 'here');
      for (const client of [...clients, fourth]) client.destroy();
    }));
});

describe('drains', () => {
  test('a request that is on its way is served, and told that it is the last', () =>
    withWorkers(1, async ([worker], starter) => {
      const [bound] = await worker!.apply([onPort(0)]);
      const client = await RawClient.connect({ port: bound!.port });
      assert.equal(await ask(client, starter), 'here');
      const drained = worker!.drain(60_000);
      await assert.rejects(RawClient.connect({ port: bound!.port }), /ECONNREFUSED/);
      client.send(GET);
      (await starter.next()).answer('last');
      const { head, body } = await client.readResponse();
      assert.equal(body, 'last');
      assert.match(head, /^Connection: close\r$/m);
      assert.equal(await client.readToEnd(), '');
      client.finish();
      await drained;
      assert.equal(worker!.openConnections, 0);
    }));

  for (const isFast of [false, true]) {
    const which = isFast ? 'fast' : 'general';
    test(`where idle connections have time, their next request is answered, and is the last (${which} path)`, () =>
      withWorkers(
        1,
        async ([worker], starter) => {
          const [bound] = await worker!.apply([onPort(0)]);
          const [late, never] = [await connected(bound!.port, starter), await connected(bound!.port, starter)];
          const begunMs = performance.now();
          const drained = worker!.drain(3_000, 3_000);
          // Without the time it would have been closed after half a second.
          await new Promise((resolve) => setTimeout(resolve, 700));
          late.send(GET);
          (await starter.next()).answer('last');
          assert.match((await late.readResponse()).head, /^Connection: close\r$/m);
          assert.equal(await late.readToEnd(), '');
          late.finish();
          // Not reset at the deadline, but closed softly before it.
          assert.equal(await never.readToEnd(), '');
          never.finish();
          await drained;
          assert.ok(performance.now() - begunMs > 1_000);
        },
        isFast,
      ));
  }

  test('the deadline resets what is amid a response', () =>
    withWorkers(1, async ([worker], starter) => {
      const [bound] = await worker!.apply([onPort(0)]);
      const client = await RawClient.connect({ port: bound!.port });
      client.send('GET / HTTP/1.0\r\n\r\n');
      const exchange = await starter.next();
      exchange.client.sendHead({ ...exchange.head, ...HEAD }, []);
      exchange.client.sendData(Buffer.from('a part'));
      await client.readUntil('a part');
      await worker!.drain(30);
      await client.readToReset();
      assert.deepEqual(exchange.events, ['gone:closed']);
    }));
});

const HEAD = {
  status: 200,
  reason: 'OK',
  bodyLength: -1,
  hasLength: false,
  field: () => undefined,
  endToEndFields: () => [],
};
