import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { socketsHeldByHttpProxy } from '../../../../../proxy/upstream/tunnel/http-proxy-upgrade.ts';
import { echoWebSocket } from '../../../../support/echo-socket.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../../support/origin-certificate.ts';
import { ScriptedOrigin } from '../../../../support/scripted-origin.ts';
import { withTunnels, type TunnelBench } from '../../../../support/tunnel-bench.ts';
import { resetSocket } from '../../../../../net/reset-socket.ts';

/** Sends texts of many sizes, expects each echoed, then closes. */
async function chat(bench: TunnelBench): Promise<void> {
  bench.origin.play(echoWebSocket());
  const socket = new WebSocket(`ws://127.0.0.1:${bench.port}/chat`);
  await once(socket, 'open');
  for (const size of [0, 1, 125, 126, 10_000, 65_000]) {
    const text = 'é'.repeat(size / 2);
    const answered = once(socket, 'message');
    socket.send(text);
    const [event] = (await answered) as [MessageEvent];
    assert.equal(event.data, text);
  }
  const closed = once(socket, 'close');
  socket.close(1000, 'bye');
  const [event] = (await closed) as [CloseEvent];
  assert.equal(event.code, 1000);
  assert.equal(event.wasClean, true);
}

describe('a WebSocket', () => {
  test('exchanges messages with its endpoint', () =>
    withTunnels({}, async (bench) => {
      await chat(bench);
      const tunnel = await (await bench.tunnel()).over;
      assert.deepEqual(tunnel.log.slice(0, 2), ['lease', 'open']);
    }));

  test('exchanges messages with an endpoint over TLS', async () => {
    const origin = await ScriptedOrigin.listen({ tls: { cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY } });
    const tls = { verify: true, ca: [ORIGIN_CERTIFICATE], serverName: 'origin.test' };
    await withTunnels({ origin, endpoint: { protocol: 'https' }, upstream: { tls } }, async (bench) => {
      await chat(bench);
      await (await bench.tunnel()).over;
    });
  });

  test('leaves no open socket in http-proxy-3, however it closes', () =>
    withTunnels({}, async (bench) => {
      await chat(bench);
      for (const end of ['terminate', 'abort', 'close-all'] as const) {
        bench.origin.play(echoWebSocket());
        const client = bench.client();
        await client.received('\r\n\r\n');
        const tunnel = bench.opened.at(-1)!;
        if (end === 'terminate') resetSocket(client.socket);
        else if (end === 'abort') tunnel.handle.abort();
        else bench.tunnels.closeAll();
      }
      await bench.emptied();
      while (socketsHeldByHttpProxy() > 0) await nextTurn();
      assert.equal(socketsHeldByHttpProxy(), 0);
    }));
});
