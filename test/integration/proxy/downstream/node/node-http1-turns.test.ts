// Requests in turn on one HTTP/1.1 connection: pipelining, persistence, half-closed clients. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RawClient } from '../../../../support/raw-client.ts';
import { generalOnly, withBench } from '../../../../contract/proxy/downstream/bench.ts';
import { untilStill } from '../../../../contract/proxy/downstream/cases.ts';
import { localReply, responseHead } from '../../../../contract/proxy/downstream/scripted-starter.ts';

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('pipelining', () => {
  test('requests are served one after the other, in order', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(GET('/1') + GET('/2') + GET('/3'));
      const first = await starter.next();
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(starter.begun, 1);
      first.answer('one');
      const second = await starter.next();
      assert.deepEqual([second.head.target, starter.begun], ['/2', 2]);
      second.client.sendLocalReply(localReply(404, 'two'));
      (await starter.next()).answer('three');
      const bodies = [await client.readResponse(), await client.readResponse(), await client.readResponse()];
      assert.deepEqual(
        bodies.map(({ body }) => body),
        ['one', 'two', 'three'],
      );
    }));

  test('many are served, however many wait', () =>
    withBench({}, async ({ starter }, client) => {
      const many = 5000;
      client.send(GET('/').repeat(many));
      const first = await starter.next();
      starter.answerAll((exchange) => exchange.answer(''));
      first.answer('');
      for (let answered = 0; answered < many; answered++) assert.equal((await client.readResponse()).status, 200);
      assert.equal(starter.begun, many);
    }));

  test('a flood of them is not read while the first one waits', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(GET('/').repeat(1_000_000));
      await starter.next();
      await untilStill(() => client.socket.bytesWritten - client.socket.writableLength);
      assert.ok(client.socket.writableLength > 0, 'the client could send all of it');
      assert.equal(starter.begun, 1);
    }));

  test('what is malformed behind a request is answered after it', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(`${GET('/1')}GET /2 HTTP/1.1\r\nHost : a\r\n\r\n`);
      const first = await starter.next();
      first.client.sendHead(responseHead({ length: 5 }), []);
      assert.deepEqual(starter.refused, []);
      first.client.sendData(Buffer.from('whole'));
      first.client.sendEnd(null);
      assert.equal((await client.readResponse()).body, 'whole');
      assert.equal((await client.readResponse()).status, 400);
      await client.readToEnd();
      assert.deepEqual(starter.refused, ['malformed']);
    }));

  test(
    'a request whose body turns out malformed while it waits never begins',
    generalOnly('looks at a body when it is let through'),
    () =>
      withBench({}, async ({ starter }, client) => {
        client.send(`${GET('/1')}POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`);
        (await starter.next()).answer('one');
        assert.equal((await client.readResponse()).body, 'one');
        assert.equal((await client.readResponse()).status, 400);
        await client.readToEnd();
        assert.equal(starter.begun, 1);
      }),
  );

  test('behind the last request of a connection nothing is served', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(`GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET('/2')}`);
      (await starter.next()).answer('one');
      assert.match((await client.readResponse()).head, /^Connection: close\r$/m);
      assert.equal(await client.readToEnd(), '');
      assert.equal(starter.begun, 1);
    }));
});

describe('persistence', () => {
  test('a response says how long its connection is kept', () =>
    withBench({ timeouts: { keepAliveMs: 75_000 } }, async ({ starter }, client) => {
      client.send(GET('/'));
      (await starter.next()).answer();
      const { head } = await client.readResponse();
      assert.match(head, /^Connection: keep-alive\r\nKeep-Alive: timeout=75\r$/m);
    }));

  test('a connection ends after its share of requests, and says so', () =>
    withBench({ limits: { requestsPerConnection: 10 } }, async ({ starter }, client) => {
      starter.answerAll((exchange) => exchange.answer());
      let requests = 0;
      let head = '';
      while (!head.includes('Connection: close')) {
        client.send(GET('/'));
        ({ head } = await client.readResponse());
        requests++;
      }
      await client.readToEnd();
      assert.ok(requests >= 9 && requests <= 11, `${requests} requests`);
    }));

  test('an idle connection is closed without a word', () =>
    withBench({ timeouts: { keepAliveMs: 60 } }, async ({ starter }, client) => {
      client.send(GET('/'));
      (await starter.next()).answer();
      await client.readResponse();
      assert.equal(await client.readToEnd(), '');
      assert.deepEqual(starter.refused, []);
    }));

  test('HTTP/1.0 without keep-alive ends a connection', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('GET / HTTP/1.0\r\n\r\n');
      (await starter.next()).answer('bye');
      const { head } = await client.readResponse();
      assert.match(head, /^HTTP\/1.1 200 OK\r\n/);
      assert.match(head, /^Connection: close\r$/m);
      assert.equal(await client.readToEnd(), '');
    }));
});

describe('a half-closed client', () => {
  test('receives a response that was ready before', () =>
    withBench({}, async (bench) => {
      const held = await RawClient.connect({ port: bench.port, isHeld: true });
      held.send(GET('/'));
      const exchange = await bench.starter.next();
      const body = 'x'.repeat(24 * 1024 * 1024);
      exchange.answer(body);
      held.finish();
      await new Promise((resolve) => setTimeout(resolve, 50));
      held.startReading();
      assert.equal((await held.readResponse()).body.length, body.length);
      await held.readToEnd();
      await exchange.until('flushed');
    }));

  test('that reads nothing loses its connection after the send timeout', () =>
    withBench({ timeouts: { sendIdleMs: 150 } }, async (bench) => {
      const held = await RawClient.connect({ port: bench.port, isHeld: true });
      held.send(GET('/'));
      const exchange = await bench.starter.next();
      exchange.answer('x'.repeat(24 * 1024 * 1024));
      held.finish();
      await exchange.until('gone:send-timeout');
      assert.deepEqual(exchange.events, ['gone:send-timeout']);
      while (bench.openConnections > 1) await new Promise((resolve) => setTimeout(resolve, 5));
      held.destroy();
    }));
});
