import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '../../../../support/fairlead.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { ScriptedOrigin, send } from '../../../../support/scripted-origin.ts';
import { HANDSHAKE, openTunnel, SWITCH, withTunnels, type TunnelBench } from '../../../../support/tunnel-bench.ts';
import { resetSocket } from '../../../../../net/reset-socket.ts';

interface Ends {
  readonly client: Socket;
  readonly endpoint: Socket;
  readonly bench: TunnelBench;
}

const ENDS: readonly (readonly [string, (ends: Ends) => void, string])[] = [
  ['the client ends', ({ client }) => client.end(), 'client'],
  ['the client closes', ({ client }) => client.destroy(), 'client'],
  ['the client resets', ({ client }) => resetSocket(client), 'client'],
  ['the endpoint ends', ({ endpoint }) => endpoint.end(), 'endpoint'],
  ['the endpoint closes', ({ endpoint }) => endpoint.destroy(), 'endpoint'],
  ['the endpoint resets', ({ endpoint }) => resetSocket(endpoint), 'endpoint'],
  ['the drain deadline comes', ({ bench }) => bench.tunnels.closeAll(), 'drain'],
];

describe('an open tunnel', () => {
  test('relays bytes both ways, starting with those that follow either head', () =>
    withTunnels({}, async (bench) => {
      bench.origin.play(send(`${SWITCH}first from endpoint`));
      const client = bench.client(`${HANDSHAKE}first from client`);
      await client.received('first from endpoint');
      const { socket: endpoint } = await bench.origin.connection(0);
      const received: Buffer[] = [];
      endpoint.on('data', (chunk: Buffer) => received.push(chunk));
      client.send(', second');
      endpoint.write(', second');
      await client.received(', second');
      const tunnel = await bench.tunnel();
      client.socket.end();
      endpoint.end();
      await tunnel.over;
      assert.equal(tunnel.end!.bytesFromClient, 'first from client, second'.length);
      assert.equal(tunnel.end!.bytesFromEndpoint, 'first from endpoint, second'.length);
      assert.equal(bench.lane('bytesSent'), tunnel.end!.bytesFromClient);
      assert.equal(bench.lane('bytesReceived'), tunnel.end!.bytesFromEndpoint);
    }));

  test('relays bytes unchanged', () =>
    withTunnels({}, async (bench) => {
      const { client, endpoint } = await openTunnel(bench);
      const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7) & 255));
      const received: Buffer[] = [];
      endpoint.on('data', (chunk: Buffer) => received.push(chunk));
      const before = client.text.length;
      client.socket.write(bytes);
      endpoint.write(bytes);
      while (client.text.length - before < bytes.length) await nextTurn();
      while (Buffer.concat(received).length < bytes.length) await nextTurn();
      assert.ok(Buffer.concat(received).equals(bytes));
      assert.ok(Buffer.from(client.text.slice(before), 'latin1').equals(bytes));
    }));

  test('a client that half-closes still receives from the endpoint', async () =>
    withTunnels({ origin: await ScriptedOrigin.listen({ allowHalfOpen: true }) }, async (bench) => {
      const { client, endpoint, endpointGone, tunnel } = await openTunnel(bench);
      client.socket.end('bye');
      assert.equal(await endpointGone, 'fin');
      endpoint.end('late');
      await client.received('late');
      await tunnel.over;
      assert.deepEqual(tunnel.log, ['lease', 'open', 'closed by client']);
    }));

  test('an endpoint that half-closes still receives from the client', async () =>
    withTunnels(
      { origin: await ScriptedOrigin.listen({ allowHalfOpen: true }), clientsStayHalfOpen: true },
      async (bench) => {
        const { client, endpoint, tunnel } = await openTunnel(bench);
        const received: Buffer[] = [];
        endpoint.on('data', (chunk: Buffer) => received.push(chunk));
        client.socket.once('end', () => client.socket.end('late'));
        bench.origin.connections[0]!.socket.end('bye');
        await client.received('bye');
        await tunnel.over;
        assert.equal(tunnel.end!.by, 'endpoint');
        assert.equal(tunnel.end!.bytesFromClient, 4);
      },
    ));

  for (const [name, act, by] of ENDS) {
    test(`${name}: both sides close and no connection is left`, () =>
      withTunnels({}, async (bench) => {
        const { client, endpoint, tunnel, endpointGone } = await openTunnel(bench);
        endpoint.resume();
        assert.equal(bench.lane('upgradesOpen'), 1);
        act({ client: client.socket, endpoint, bench });
        await tunnel.over;
        await client.closed;
        await endpointGone;
        assert.deepEqual(tunnel.log, ['lease', 'open', `closed by ${by}`]);
        await bench.emptied();
        assert.equal(bench.lane('upgradesOpen'), 0);
        await eventually(() => bench.clientSockets[0]!.destroyed, 'nothing of the client is left');
      }));
  }

  test('an endpoint that never closes is closed after its client has reset', () =>
    withTunnels({}, async (bench) => {
      const { client, endpoint, endpointGone } = await openTunnel(bench);
      const flood = setInterval(() => endpoint.write('x'.repeat(10_000)), 1);
      resetSocket(client.socket);
      await endpointGone;
      clearInterval(flood);
      assert.equal((await bench.tunnel()).end!.by, 'client');
    }));

  test('abort closes both sides without an event', () =>
    withTunnels({}, async (bench) => {
      const { client, tunnel, endpointGone } = await openTunnel(bench);
      tunnel.handle.abort();
      await client.closed;
      await endpointGone;
      assert.deepEqual(tunnel.log, ['lease', 'open']);
    }));

  test('a side that stops reading pauses the other', () =>
    withTunnels({}, async (bench) => {
      const { client, endpoint } = await openTunnel(bench);
      client.socket.pause();
      let taken = 0;
      for (let quiet = 0; quiet < 50; quiet += 1) {
        if (endpoint.writableNeedDrain) await nextTurn();
        else {
          endpoint.write(Buffer.alloc(65_536));
          taken += 65_536;
          quiet = 0;
        }
      }
      assert.ok(taken < 32 * 1024 * 1024, `the endpoint could send ${taken}`);
    }));
});

describe('the idle timeout', () => {
  test('ends a tunnel at most a quarter late, unless bytes flow', () => {
    const timers = new FakeClock();
    const timeouts = { connectMs: 0, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 1000, keepAliveMs: 0 };
    return withTunnels({ timers, upstream: { timeouts } }, async (bench) => {
      const { client, tunnel, endpoint } = await openTunnel(bench);
      timers.advance(900);
      endpoint.write('ping');
      await client.received('ping');
      timers.advance(999);
      assert.equal(tunnel.end, null);
      timers.advance(251);
      await client.closed;
      assert.equal(tunnel.end!.by, 'timeout');
    });
  });
});
