// Long streams over HTTP/2: the short form of `npm run http2-streams`. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { readSlowly, startGrpcStream } from '../../../../scripts/http2-streams/slow-reader.ts';
import { startEchoEndpoint, WebSocketCrowd } from '../../../../scripts/http2-streams/websockets.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../../support/fairlead.ts';

const MIB = 1_048_576;
const MESSAGE_BYTES = 32_768;
/** Windows of two connections, socket buffers, and what the libraries of both ends hold. */
const MOST_HELD_BYTES = 12 * MIB;

function start(t: TestContext, endpointPort: number): Promise<RunningFairlead> {
  return startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
limits: { streams: 1000 }
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://127.0.0.1:${endpointPort}"], protocol: http2, health: { heartbeat: false } } }
admin: { bind: "127.0.0.1:0" }
`,
  );
}

async function gauge(fairlead: RunningFairlead, name: string): Promise<number> {
  const text = await (await fetch(`${fairlead.adminUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

test('300 WebSockets share one connection of their client, and as few to the endpoint as its streams permit', async (t) => {
  const endpoint = await startEchoEndpoint();
  t.after(() => endpoint.close());
  const fairlead = await start(t, endpoint.port);
  const crowd = await WebSocketCrowd.open(fairlead.port, 300);
  for (let round = 0; round < 3; round += 1) await crowd.exchange();
  assert.equal(await gauge(fairlead, 'fairlead_listener_http2_connections'), 1);
  assert.equal(await gauge(fairlead, 'fairlead_listener_http2_streams'), 300);
  assert.equal(await gauge(fairlead, 'fairlead_endpoint_http2_streams'), 300);
  const connections = await gauge(fairlead, 'fairlead_endpoint_http2_connections');
  assert.ok(connections >= 3 && connections <= 4, `${connections} connections to the endpoint`);
  await crowd.close();
  const isEmpty = async (): Promise<boolean> => (await gauge(fairlead, 'fairlead_endpoint_http2_streams')) === 0;
  await eventually(isEmpty, 'no stream is left');
});

test('a gRPC stream of 24 MiB to a slow reader: its endpoint is held back', async (t) => {
  const endpoint = await startGrpcStream();
  t.after(() => endpoint.close());
  const { port } = await start(t, endpoint.port);
  let mostHeldBytes = 0;
  let messages = 0;
  const received = await readSlowly({
    port,
    bytes: 24 * MIB,
    pauseMs: 50,
    onMessage: () => {
      messages += 1;
      mostHeldBytes = Math.max(mostHeldBytes, (endpoint.sentMessages - messages) * MESSAGE_BYTES);
    },
  });
  assert.equal(received, 24 * MIB);
  assert.ok(mostHeldBytes < MOST_HELD_BYTES, `${mostHeldBytes} bytes were sent and not taken`);
});
