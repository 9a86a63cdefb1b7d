// An endpoint that closed a keep-alive connection after its own idle timeout was marked suspect ("connection reset before
// a response"), and traffic moved off it. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, startFairlead } from '../support/fairlead.ts';
import { answer, bodyRead, fin, reset, ScriptedOrigin, send } from '../support/scripted-origin.ts';
import { type TransportBench, withBench } from '../support/transport-bench.ts';
import { TRANSPORTS } from '../support/transports.ts';

const ENDPOINTS = 4;
const ROUNDS = 3;

for (const fastPath of [true, false]) {
  test(`fastPath ${fastPath}: endpoints that close idle connections stay up, and round robin stays exact`, async (t) => {
    const origins = await Promise.all(Array.from({ length: ENDPOINTS }, () => ScriptedOrigin.listen()));
    for (const origin of origins) t.after(() => origin.close());
    const urls = origins.map(({ port }) => `"http://127.0.0.1:${port}"`).join(', ');
    const fairlead = await startFairlead(
      t,
      `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams: { app: { balance: round-robin, endpoints: [${urls}], health: { heartbeat: false } } }
`,
    );
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let count = 0; count < ENDPOINTS; count += 1) assert.equal((await fetch(fairlead.url)).status, 200);
      await delay(60);
      // The idle timeout of every endpoint: each closes its connection.
      for (const { connections } of origins) for (const { socket } of connections) socket.end();
      await eventually(
        () => origins.every(({ connections }) => connections.every(({ socket }) => socket.closed)),
        'all connections closed',
      );
    }
    assert.deepEqual(
      origins.map(({ requests }) => requests.length),
      Array.from({ length: ENDPOINTS }, () => ROUNDS),
    );
    assert.deepEqual(
      fairlead.log.filter(({ text }) => /suspect|reset before/.test(text)),
      [],
    );
  });
}

/** Opens `count` connections at once and leaves them idle. */
async function idleConnections(bench: TransportBench, count: number): Promise<void> {
  const all = Promise.withResolvers<void>();
  bench.origin.otherwise = [bodyRead(), () => all.promise, send(answer())];
  const attempts = Array.from({ length: count }, () => bench.send());
  await bench.origin.request(count - 1);
  all.resolve();
  for (const attempt of attempts) assert.equal((await attempt.done).outcome, 'ok');
  await bench.idled();
}

for (const transport of TRANSPORTS) {
  describe(transport.name, () => {
    for (const [name, step] of [
      ['FIN', fin()],
      ['RST', reset()],
    ] as const) {
      test(`${name} on one idle connection is no death, on several with different idle times it is`, () =>
        withBench(transport, {}, async (bench) => {
          await idleConnections(bench, 3);
          const [first, ...others] = bench.origin.connections;
          void step(first!.socket, bench.origin.requests[0]!);
          await eventually(() => bench.lane('connectionsOpen') === 2, 'the close');
          assert.equal(bench.idleDeaths, 0);
          // The idle times must differ by more than a factor of two, and stay below the second that explains any close.
          await delay(450);
          assert.equal((await bench.send().done).outcome, 'ok');
          await bench.idled();
          for (const { socket } of others) void step(socket, bench.origin.requests[0]!);
          await eventually(() => bench.lane('connectionsOpen') === 0, 'the closes');
          assert.equal(bench.idleDeaths, 1);
        }));
    }
  });
}
