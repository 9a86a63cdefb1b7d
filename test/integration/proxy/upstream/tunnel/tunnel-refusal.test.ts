import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fin, send } from '../../../../support/scripted-origin.ts';
import { withTunnels } from '../../../../support/tunnel-bench.ts';
import { resetSocket } from '../../../../../net/reset-socket.ts';

const CLOSE = 'Connection: close\r\n\r\n';

/** Responses of the endpoint, and the bytes that the client receives. */
const REFUSALS: readonly (readonly [string, string, string])[] = [
  [
    'a length',
    'HTTP/1.1 403 Go away\r\nContent-Length: 5\r\nX-A: \xe9\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\nhello',
    `HTTP/1.1 403 Go away\r\nX-A: \xe9\r\nContent-Length: 5\r\n${CLOSE}hello`,
  ],
  [
    'chunks',
    'HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
    `HTTP/1.1 401 No\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nTransfer-Encoding: chunked\r\n${CLOSE}5\r\nhello\r\n0\r\n\r\n`,
  ],
  [
    'a body that lasts until its end',
    'HTTP/1.0 200 OK\r\n\r\nhello',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${CLOSE}5\r\nhello\r\n0\r\n\r\n`,
  ],
  ['no body', 'HTTP/1.1 204 No Content\r\n\r\n', `HTTP/1.1 204 No Content\r\n${CLOSE}`],
  [
    'an interim response before it',
    'HTTP/1.1 103 E\r\n\r\nHTTP/1.1 426 U\r\nContent-Length: 0\r\n\r\n',
    `HTTP/1.1 426 U\r\nContent-Length: 0\r\n${CLOSE}`,
  ],
];

const TRUNCATED: readonly (readonly [string, string])[] = [
  ['a length', 'HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhel'],
  ['a chunk', 'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel'],
  ['a body without length', 'HTTP/1.1 403 No\r\n\r\nhel'],
];

describe('a refusal', () => {
  for (const [name, wire, wanted] of REFUSALS) {
    test(`with ${name} is relayed whole, and the connection closes`, () =>
      withTunnels({}, async (bench) => {
        bench.origin.play(send(wire), fin());
        const client = bench.client();
        const tunnel = await bench.tunnel();
        await tunnel.over;
        await client.ended;
        assert.equal(client.text, wanted);
        assert.equal(tunnel.log.at(-1), `refused ${wanted.slice(9, 12)}`);
        client.socket.end();
        await client.closed;
        while (!bench.clientSockets[0]!.destroyed) await nextTurn();
      }));
  }

  test('that is large waits for a slow client', () =>
    withTunnels({}, async (bench) => {
      const size = 32 * 1024 * 1024;
      bench.origin.play(send(`HTTP/1.1 403 No\r\nContent-Length: ${size}\r\n\r\n`), send(Buffer.alloc(size, 'x')));
      const client = bench.client();
      client.socket.pause();
      const { socket } = await bench.origin.connection(0);
      for (let quiet = 0, last = -1; quiet < 50; quiet += 1) {
        if (socket.bytesWritten - socket.writableLength !== last) quiet = 0;
        last = socket.bytesWritten - socket.writableLength;
        await nextTurn();
      }
      assert.ok(socket.writableLength > size / 2, 'most of it is still with the endpoint');
      client.socket.resume();
      await (await bench.tunnel()).over;
      await client.ended;
      assert.equal(client.text.length > size, true);
    }));

  for (const [name, wire] of TRUNCATED) {
    test(`that ends inside ${name} is cut by a reset, not ended cleanly`, () =>
      withTunnels({}, async (bench) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        bench.origin.play(
          send(wire),
          () => promise,
          (socket) => resetSocket(socket),
        );
        const client = bench.client();
        await client.received('hel');
        resolve();
        const tunnel = await bench.tunnel();
        await tunnel.over;
        await client.closed;
        assert.equal(tunnel.log.at(-1), 'closed by endpoint');
        assert.equal(client.text.endsWith('0\r\n\r\n'), false);
      }));
  }

  test('closes the connection to the endpoint when its client disconnects', () =>
    withTunnels({}, async (bench) => {
      bench.origin.play(send('HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nhel'));
      const client = bench.client();
      await client.received('hel');
      resetSocket(client.socket);
      assert.equal((await (await bench.tunnel()).over).log.at(-1), 'closed by client');
      await (await bench.origin.connection(0)).gone;
    }));
});
