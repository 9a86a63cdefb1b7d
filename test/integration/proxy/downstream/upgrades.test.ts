// Upgrade requests: what becomes a tunnel, what is answered, and what is served as if it hadn't asked. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SocketUpgrade } from '../../../../proxy/wire/socket-upgrade.ts';
import { generalOnly, withBench } from '../../../contract/proxy/downstream/bench.ts';
import { localReply } from '../../../contract/proxy/downstream/scripted-starter.ts';

const upgrade = (protocol: string, more = ''): string =>
  `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`;

describe('an upgrade', () => {
  test('gives the socket and the first bytes to whoever opens the tunnel', () =>
    withBench({}, async (bench, client) => {
      client.send(`${upgrade('websocket')}first`);
      const exchange = await bench.starter.next();
      assert.ok(exchange.upgrade instanceof SocketUpgrade);
      const { socket, protocols, firstBytes } = exchange.upgrade;
      assert.equal(protocols, 'websocket');
      assert.equal(firstBytes.toString(), 'first');
      assert.equal(exchange.head.endToEndFields().includes('Upgrade'), false);
      socket.on('data', (chunk: Buffer) => socket.write(chunk));
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      assert.match(await client.readUntil('\r\n\r\n'), /^HTTP\/1\.1 101 /);
      client.send('echo');
      assert.equal(await client.readBytes(4), 'echo');
      client.reset();
      while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
      assert.deepEqual(exchange.events, [], 'the tunnel tells the exchange, not the client side');
    }));

  test('that is answered ends the connection after it', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(upgrade('websocket'));
      const exchange = await starter.next();
      exchange.client.sendLocalReply(localReply(503, 'no endpoint'));
      const response = await client.readResponse();
      assert.deepEqual([response.status, response.body], [503, 'no endpoint']);
      assert.match(response.head, /^Connection: close\r$/m);
      assert.equal(await client.readToEnd(), '');
      await exchange.until('flushed');
      assert.deepEqual(exchange.events, ['flushed']);
    }));

  test('that is cut is reset', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(upgrade('websocket'));
      const exchange = await starter.next();
      exchange.client.cut();
      await client.readToReset();
      assert.deepEqual(exchange.events, []);
    }));

  test('whose client leaves before the tunnel is there is gone', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(upgrade('websocket'));
      const exchange = await starter.next();
      client.reset();
      await exchange.until('gone:closed');
    }));

  for (const protocol of ['h2c', 'websocket, h2c', 'TLS/1.0', 'HTTP/2.0']) {
    test(`to ${protocol} is ignored, and the connection goes on`, () =>
      withBench({}, async ({ starter }, client) => {
        client.send(`${upgrade(protocol)}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
        const exchange = await starter.next();
        assert.equal(exchange.upgrade, null);
        exchange.answer('plain');
        const first = await client.readResponse();
        assert.equal(first.body, 'plain');
        assert.match(first.head, /^Connection: keep-alive\r$/m);
        const second = await starter.next();
        assert.equal(second.head.target, '/next');
        second.answer('next');
        assert.equal((await client.readResponse()).body, 'next');
        client.send(upgrade('websocket'));
        assert.notEqual((await starter.next()).upgrade, null);
      }));
  }

  test('with a body is served as a plain request, the last one of its connection', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(`${upgrade('websocket', 'Content-Length: 2\r\n')}hiGET /lost HTTP/1.1\r\nHost: a\r\n\r\n`);
      const exchange = await starter.next();
      assert.equal(exchange.upgrade, null);
      exchange.client.resumeBody();
      await exchange.until('body-end');
      exchange.answer(exchange.body);
      const { head, body } = await client.readResponse();
      assert.equal(body, 'hi');
      assert.match(head, /^Connection: close\r$/m);
      assert.equal(await client.readToEnd(), '');
      assert.equal(starter.begun, 1);
    }));

  test(
    'that is pipelined behind another request is served as a plain one',
    generalOnly('hands it over when its turn has come: it is alone then'),
    () =>
      withBench({}, async ({ starter }, client) => {
        client.send(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${upgrade('websocket')}`);
        (await starter.next()).answer('one');
        assert.equal((await client.readResponse()).body, 'one');
        const exchange = await starter.next();
        assert.equal(exchange.upgrade, null);
        exchange.answer('two');
        assert.equal((await client.readResponse()).body, 'two');
        await client.readToEnd();
      }),
  );

  test('of HTTP/1.0 opens nothing', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
      const exchange = await starter.next();
      assert.equal(exchange.upgrade, null);
      exchange.answer();
      assert.equal((await client.readResponse()).status, 200);
      await client.readToEnd();
    }));
});
