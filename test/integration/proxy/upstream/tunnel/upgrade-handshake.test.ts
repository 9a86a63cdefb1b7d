import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { send } from '../../../../support/scripted-origin.ts';
import { HANDSHAKE, openTunnel, SWITCH, withTunnels } from '../../../../support/tunnel-bench.ts';

describe('an Upgrade request', () => {
  test('reaches the endpoint with end-to-end fields only, names and target unchanged', () =>
    withTunnels(
      { request: { insertedFields: ['X-Forwarded-For', '192.0.2.1'], hostField: 'b.test' } },
      async (bench) => {
        await openTunnel(bench);
        const { head } = bench.origin.requests[0]!;
        assert.deepEqual(head.split('\r\n'), [
          'GET /chat?x=1 HTTP/1.1',
          'Host: b.test',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Protocol: chat',
          'X-Forwarded-For: 192.0.2.1',
          'Connection: Upgrade',
          'Upgrade: websocket',
          '',
          '',
        ]);
      },
    ));

  for (const target of ['//a/../b', '/%2e%2e/x?', '/a?b=c?d', '/?a=http://x/../y', '/[']) {
    test(`the target ${target} is sent unchanged`, () =>
      withTunnels({}, async (bench) => {
        bench.client(HANDSHAKE.replace('/chat?x=1', target));
        assert.equal((await bench.origin.request(0)).requestLine, `GET ${target} HTTP/1.1`);
      }));
  }

  test('nominated fields, Expect and Trailer of the client are not forwarded', () =>
    withTunnels({}, async (bench) => {
      const more =
        'X-Hop: 1\r\nExpect: 100-continue\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nX-Two: 1\r\nX-Two: 2\r\n';
      bench.client(
        HANDSHAKE.replace('keep-alive, Upgrade', 'Upgrade, X-Hop').replace('Sec-WebSocket-V', `${more}Sec-WebSocket-V`),
      );
      const received = await bench.origin.request(0);
      for (const name of ['x-hop', 'expect', 'te', 'keep-alive', 'proxy-connection']) {
        assert.deepEqual(received.values(name), [], name);
      }
      assert.deepEqual(received.values('x-two'), ['1', '2']);
      assert.deepEqual(received.values('connection'), ['Upgrade']);
    }));

  test('other protocols and methods are forwarded unchanged', () =>
    withTunnels({}, async (bench) => {
      bench.origin.play(send('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw'));
      const client = bench.client(
        'POST /attach HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n',
      );
      await client.received('raw');
      const received = bench.origin.requests[0]!;
      assert.equal(received.requestLine, 'POST /attach HTTP/1.1');
      assert.deepEqual(received.values('upgrade'), ['tcp']);
    }));

  test('the 101 reaches the client with end-to-end fields only, byte for byte', () =>
    withTunnels({}, async (bench) => {
      const hops =
        'Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=\xe9\r\nSet-Cookie: b\r\n';
      bench.origin.play(send(SWITCH.replace('Sec-', `${hops}Sec-`)));
      const client = bench.client();
      await client.received('\r\n\r\n');
      assert.deepEqual(client.text.split('\r\n'), [
        'HTTP/1.1 101 Switching Protocols',
        'Set-Cookie: a=\xe9',
        'Set-Cookie: b',
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        'Sec-WebSocket-Protocol: chat',
        'Connection: Upgrade',
        'Upgrade: websocket',
        '',
        '',
      ]);
    }));
});
