// The client: each kind of failure has a name, and its own lag is separate from latencies.
// Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { runLoad } from '../../../../scripts/chaos/client.ts';
import { PADDING } from '../../../../scripts/chaos/endpoint-contract.ts';
import { lagMs, latencyMs, type Outcome } from '../../../../scripts/chaos/outcome.ts';
import type { Arrival } from '../../../../scripts/chaos/plan.ts';
import { resetSocket } from '../../../../net/reset-socket.ts';

const idOf = (url: string): string => /^\/r\/([^?]+)\?/.exec(url)![1]!;

function arrival(id: string, change: Partial<Arrival> = {}): Arrival {
  return { id, atMs: 0, method: 'GET', workMs: 1, bodyBytes: 0, isAlone: false, ...change };
}

async function load(
  t: TestContext,
  listener: RequestListener,
  arrivals: readonly Arrival[],
  patienceMs = 10_000,
): Promise<readonly Outcome[]> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return runLoad({ port, arrivals, patienceMs, startMs: performance.now() });
}

const FAILURES: readonly (readonly [string, string | null, RequestListener])[] = [
  ['a whole answer to it', null, (request, response) => response.end(idOf(request.url!) + PADDING)],
  ['a bad status', '503', (_, response) => response.writeHead(503).end()],
  ['a status of 404', '404', (_, response) => response.writeHead(404).end()],
  ['a reset', 'reset', (request) => resetSocket(request.socket)],
  ['a close before an answer', 'reset', (request) => request.socket.destroy()],
  [
    'half of a body',
    'truncated',
    (request, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('half');
      setImmediate(() => request.socket.destroy());
    },
  ],
  ["another request's answer", 'wrong body', (_, response) => response.end(`other${PADDING}`)],
];

for (const [what, failure, listener] of FAILURES) {
  test(`${what} ends as ${failure ?? 'a success'}`, async (t) => {
    const [outcome] = await load(t, listener, [arrival('one')]);
    assert.equal(outcome!.failure, failure);
  });
}

test('a missing response ends as a timeout', async (t) => {
  const [outcome] = await load(t, () => undefined, [arrival('one')], 50);
  assert.equal(outcome!.failure, 'time-out');
  assert.ok(lagMs(outcome!) + latencyMs(outcome!) >= 49);
});

test('a refused connection keeps its code', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const [outcome] = await runLoad({ port, arrivals: [arrival('one')], patienceMs: 1000, startMs: performance.now() });
  assert.equal(outcome!.failure, 'ECONNREFUSED');
});

test('a late send counts as lag of the client, not as latency', async (t) => {
  const listener: RequestListener = (request, response) => response.end(idOf(request.url!) + PADDING);
  const [outcome] = await load(t, listener, [arrival('one', { atMs: -5000 })]);
  assert.ok(lagMs(outcome!) >= 5000);
  assert.ok(latencyMs(outcome!) < lagMs(outcome!));
});

test('a request does not wait for earlier responses, and connections are kept', async (t) => {
  const sockets = new Set();
  const held: (() => void)[] = [];
  const listener: RequestListener = (request, response) => {
    sockets.add(request.socket);
    const answer = (): unknown => response.end(idOf(request.url!) + PADDING);
    // The first is answered when the second is here: a client that waits would wait for ever.
    if (idOf(request.url!) === 'one') held.push(answer);
    else {
      answer();
      for (const release of held.splice(0)) release();
    }
  };
  const later = ['three', 'four', 'five'].map((id, index) => arrival(id, { atMs: 100 * (index + 1) }));
  const outcomes = await load(t, listener, [arrival('one'), arrival('two', { atMs: 5 }), ...later]);
  assert.deepEqual(
    outcomes.map(({ failure }) => failure),
    [null, null, null, null, null],
  );
  assert.equal(sockets.size, 2);
});

test('a POST carries its id in the body and in a field, and some requests use a separate connection', async (t) => {
  const seen: unknown[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push([request.method, request.url, request.headers['x-request-id'], request.headers.connection, body]);
      response.end(idOf(request.url!) + PADDING);
    });
  };
  await load(t, listener, [arrival('p1', { method: 'POST', bodyBytes: 3, isAlone: true })]);
  assert.deepEqual(seen, [['POST', '/r/p1?work=1', 'p1', 'close', 'p1...']]);
});
