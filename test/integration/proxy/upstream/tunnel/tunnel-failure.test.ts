import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { openBlackhole } from '../../../../support/blackhole.ts';
import { fin, hang, reset, send, type Step } from '../../../../support/scripted-origin.ts';
import { HANDSHAKE, SWITCH, withTunnels, type RawClient, type TunnelBench } from '../../../../support/tunnel-bench.ts';

/** Endpoint behaviours during the handshake, and the failure that each one causes. */
const FAILURES: readonly (readonly [string, readonly Step[], string])[] = [
  ['ends', [fin()], 'reset sent'],
  ['resets', [reset()], 'reset sent'],
  ['ends inside its head', [send('HTTP/1.1 101 Swi'), fin()], 'reset sent'],
  ['answers no HTTP', [send('SSH-2.0\r\n\r\n'), hang()], 'malformed-response sent'],
  [
    'says a length and chunks',
    [send('HTTP/1.1 403 No\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'), hang()],
    'malformed-response sent',
  ],
  ['switches to something else', [send(SWITCH.replace('websocket', 'h2c')), hang()], 'malformed-response sent'],
  [
    'switches to nothing in particular',
    [send('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: \r\n\r\n'), hang()],
    'malformed-response sent',
  ],
  [
    'sends interim responses without end',
    [send('HTTP/1.1 103 E\r\n\r\n'.repeat(1000)), hang()],
    'malformed-response sent',
  ],
  ['sends a head without end', [send(`HTTP/1.1 101 S\r\nX: ${'x'.repeat(100_000)}`), hang()], 'head-too-large sent'],
];

const UNSENDABLE: readonly (readonly [string, string])[] = [
  ['a body', HANDSHAKE.replace('Sec-WebSocket-V', 'Content-Length: 5\r\nSec-WebSocket-V') + 'hello'],
];

/** Checks that nothing was written to the client's socket, so that the exchange can still answer on it. */
async function isUntouched(bench: TunnelBench, client: RawClient): Promise<void> {
  assert.equal(client.text, '');
  const socket = bench.clientSockets[0]!;
  assert.equal(socket.destroyed, false);
  for (const event of ['data', 'readable', 'drain', 'finish', 'pipe'])
    assert.equal(socket.listenerCount(event), 0, event);
  socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  await client.received('502');
}

describe('before anything was relayed', () => {
  for (const [name, steps, outcome] of FAILURES) {
    test(`an endpoint that ${name}: ${outcome}`, () =>
      withTunnels({}, async (bench) => {
        bench.origin.play(...steps);
        const client = bench.client();
        const tunnel = await (await bench.tunnel()).over;
        assert.deepEqual(tunnel.log, ['lease', `failure ${outcome}`]);
        await (await bench.origin.connection(0)).gone;
        await isUntouched(bench, client);
        await bench.emptied();
      }));
  }

  for (const [name, handshake] of UNSENDABLE) {
    test(`a request with ${name} is not sent`, () =>
      withTunnels({}, async (bench) => {
        const client = bench.client(handshake);
        const tunnel = await (await bench.tunnel()).over;
        assert.deepEqual(tunnel.log, ['failure unsendable-request unsent']);
        assert.equal(bench.origin.connections.length, 0);
        await isUntouched(bench, client);
      }));
  }

  test('a field that cannot be sent is detected before a byte is written', () =>
    withTunnels({ request: { insertedFields: ['X-A', 'a\r\nX-B: b'] } }, async (bench) => {
      const client = bench.client();
      const tunnel = await (await bench.tunnel()).over;
      assert.deepEqual(tunnel.log, ['lease', 'failure unsendable-request unsent']);
      await (await bench.origin.connection(0)).gone;
      assert.equal(bench.origin.requests.length, 0);
      await isUntouched(bench, client);
    }));

  test('a refused connection is reported, and the same client can be retried at another endpoint', () =>
    withTunnels({ endpoint: { socketPath: '/nonexistent/endpoint.sock' } }, async (bench) => {
      const client = bench.client(`${HANDSHAKE}first`);
      const tunnel = await (await bench.tunnel()).over;
      assert.deepEqual(tunnel.log, ['failure connect-failed unsent']);
      await isUntouched(bench, client);
    }));

  test('a connect timeout is reported', async () => {
    const blackhole = await openBlackhole();
    const timeouts = { connectMs: 60, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 0, keepAliveMs: 0 };
    try {
      await withTunnels({ endpoint: { port: blackhole.port }, upstream: { timeouts } }, async (bench) => {
        const client = bench.client();
        const tunnel = await (await bench.tunnel()).over;
        assert.deepEqual(tunnel.log, ['failure connect-timeout unsent']);
        await isUntouched(bench, client);
      });
    } finally {
      await blackhole.close();
    }
  });

  test('bytes that the client sends meanwhile are kept for the next endpoint', () =>
    withTunnels({}, async (bench) => {
      bench.origin.play(fin());
      const client = bench.client(`${HANDSHAKE}first`);
      client.send(' second');
      const tunnel = await (await bench.tunnel()).over;
      assert.equal(tunnel.log.at(-1), 'failure reset sent');
      bench.origin.play(send(SWITCH));
      bench.retry(0);
      const { socket } = await bench.origin.connection(1);
      let received = '';
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
      });
      await client.received('101');
      while (!received.endsWith('first second')) await once(socket, 'data');
    }));

  for (const moment of ['lease', 'behind lease'] as const) {
    test(`abort at ${moment} closes the endpoint's connection and leaves the client's open`, () =>
      withTunnels(
        {
          prepare: (tunnel) => {
            tunnel.react = (event) => {
              if (event !== 'lease') return;
              if (moment === 'lease') tunnel.handle.abort();
              else setImmediate(() => tunnel.handle.abort());
            };
          },
        },
        async (bench) => {
          bench.origin.play(hang());
          const client = bench.client();
          await (await bench.origin.connection(0)).gone;
          assert.deepEqual((await bench.tunnel()).log, ['lease']);
          await isUntouched(bench, client);
        },
      ));
  }

  test('the drain deadline fails tunnels that are not open yet', () =>
    withTunnels({}, async (bench) => {
      bench.origin.play(hang());
      const client = bench.client();
      await bench.origin.request(0);
      bench.tunnels.closeAll();
      assert.deepEqual((await (await bench.tunnel()).over).log, ['lease', 'failure cancelled sent']);
      await isUntouched(bench, client);
    }));
});
