// HTTP/1.1 on the wire: framing, HTTP/1.0, expectations, early responses, TLS resets. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withBench } from '../../../../contract/proxy/downstream/bench.ts';
import { localReply, responseHead } from '../../../../contract/proxy/downstream/scripted-starter.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('framing', () => {
  test('names keep their case, and what the endpoint says of its connection is replaced', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(GET);
      (await starter.next()).answer('hi', ['x-lower', '1', 'X-UPPER', '2', 'Date', 'Sat, 21 Nov 2026 10:00:00 GMT']);
      const { head } = await client.readResponse();
      const lines = head.split('\r\n').slice(0, -1);
      assert.deepEqual(lines, [
        'HTTP/1.1 200 OK',
        'x-lower: 1',
        'X-UPPER: 2',
        'Date: Sat, 21 Nov 2026 10:00:00 GMT',
        'Connection: keep-alive',
        'Keep-Alive: timeout=75',
        'Content-Length: 2',
      ]);
    }));

  test('bytes above 0x7f in a field come through as they are, behind Content-Length or not', () =>
    withBench({}, async ({ starter }, client) => {
      const value = 'attachment; filename="\xc3\xa4.txt"';
      client.send(GET);
      (await starter.next()).answer('hi', ['Content-Disposition', value]);
      assert.ok((await client.readResponse()).head.includes(`Content-Disposition: ${value}\r\n`));
    }));

  test('bytes above 0x7f in a field come through as they are, where the head goes alone', () =>
    withBench({}, async ({ starter }, client) => {
      for (const length of [2, undefined]) {
        client.send(GET);
        const exchange = await starter.next();
        exchange.client.sendHead(responseHead({ fields: ['X-High', '\xe4'], ...(length && { length }) }), []);
        assert.match(await client.readUntil('\r\n\r\n'), /\r\nX-High: \xe4\r\n/);
        exchange.client.sendData(Buffer.from('hi'));
        exchange.client.sendEnd(null);
        await client.readUntil(length === undefined ? '2\r\nhi\r\n0\r\n\r\n' : 'hi');
      }
    }));

  test('an unknown length is chunked, with trailers only for those who take them', () =>
    withBench({}, async ({ starter }, client) => {
      for (const [te, end] of [
        ['', '0\r\n\r\n'],
        ['TE: trailers\r\nConnection: TE\r\n', '0\r\nX-Sum: 1\r\n\r\n'],
      ] as const) {
        client.send(`GET / HTTP/1.1\r\nHost: a\r\n${te}\r\n`);
        const exchange = await starter.next();
        exchange.client.sendHead(responseHead({ fields: ['Trailer', 'X-Sum'] }), []);
        exchange.client.sendData(Buffer.from('abc'));
        exchange.client.sendEnd(['X-Sum', '1']);
        assert.match(await client.readUntil('\r\n\r\n'), /\r\nTransfer-Encoding: chunked\r\n/);
        assert.equal(await client.readUntil(end), `3\r\nabc\r\n${end}`);
      }
    }));

  test('a field that would split the response is left out', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(GET);
      (await starter.next()).answer('hi', ['X-Good', '1', 'X-Bad', 'a\r\nSet-Cookie: b', 'X-B ad', '2']);
      const { head, body } = await client.readResponse();
      assert.match(head, /^X-Good: 1\r$/m);
      assert.doesNotMatch(head, /Set-Cookie|X-B/);
      assert.equal(body, 'hi');
    }));
});

describe('HTTP/1.0', () => {
  test('needs no Host, and a body of unknown length ends with the connection', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\nTE: chunked\r\n\r\n');
      const exchange = await starter.next();
      assert.deepEqual([exchange.head.version, exchange.head.authority], ['1.0', '']);
      exchange.client.sendInterim(responseHead({ status: 103 }));
      exchange.client.sendHead(responseHead(), []);
      exchange.client.sendData(Buffer.from('all'));
      exchange.client.sendEnd(null);
      const head = await client.readUntil('\r\n\r\n');
      assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(head, /\r\nConnection: close\r\n/);
      assert.doesNotMatch(head, /Transfer-Encoding|Content-Length/);
      assert.equal(await client.readToEnd(), 'all');
    }));

  test('a cut is seen even where the end of the connection is the end of the body', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('GET / HTTP/1.0\r\n\r\n');
      const exchange = await starter.next();
      exchange.client.sendHead(responseHead(), []);
      exchange.client.sendData(Buffer.from('a part'));
      await client.readUntil('a part');
      exchange.client.cut();
      await client.readToReset();
    }));

  test('a connection is kept where it was asked for and the length is known', () =>
    withBench({}, async ({ starter }, client) => {
      for (let turn = 0; turn < 2; turn++) {
        client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
        (await starter.next()).answer('ok');
        assert.match((await client.readResponse()).head, /^Connection: keep-alive\r$/m);
      }
    }));
});

describe('expectations', () => {
  test('a final response in place of 100 ends the connection', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n');
      (await starter.next()).client.sendLocalReply(localReply(413, 'no'));
      const response = await client.readResponse();
      assert.equal(response.status, 413);
      assert.match(response.head, /^Connection: close\r$/m);
      assert.equal(await client.readToEnd(), '');
    }));

  test('HTTP/1.0 has none', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi');
      const exchange = await starter.next();
      exchange.client.resumeBody();
      await exchange.until('body-end');
      exchange.answer();
      assert.equal((await client.readResponse()).status, 200);
    }));
});

describe('responses before the end of the request', () => {
  test('Connection: close is sent with an error where too much of the body is due', () =>
    withBench({}, async ({ starter }, client) => {
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n`);
      (await starter.next()).answer('enough', [], 400);
      const { head, body } = await client.readResponse();
      assert.match(head, /^Connection: close\r$/m);
      assert.equal(body, 'enough');
    }));

  test('a chunked rest is read up to a limit, then the connection ends', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      (await starter.next()).answer('enough');
      const { head, body } = await client.readResponse();
      assert.match(head, /^Connection: keep-alive\r$/m);
      assert.equal(body, 'enough');
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      for (let sent = 0; sent < 6; sent++) client.send(chunk);
      assert.equal(await client.readToEnd(), '');
      assert.equal(starter.begun, 1);
    }));

  test('a rest that does not come in time ends the connection', () =>
    withBench({}, async ({ starter }, client) => {
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
      (await starter.next()).answer('enough');
      assert.equal((await client.readResponse()).body, 'enough');
      assert.equal(await client.readToEnd(), '');
    }));
});
