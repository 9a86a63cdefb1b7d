// Connection pools: reuse, keep-alive, counts, and new Snapshots. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { answer, hang, ScriptedOrigin, send, until } from '../../../support/scripted-origin.ts';
import {
  withBench,
  type BenchParts,
  type TransportBench,
  type TransportUnderTest,
} from '../../../support/transport-bench.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';

const TIMEOUTS = { connectMs: 30_000, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 0, keepAliveMs: 60_000 };

export function poolCases(subject: TransportUnderTest): void {
  reuse(subject);
  idleLimits(subject);
  newSnapshots(subject);
  endsAndKinds(subject);
}

function reuse(subject: TransportUnderTest): void {
  test('sequential requests use one connection, the newest idle one first', () =>
    withBench(subject, {}, async (bench) => {
      await occupy(bench, 3);
      assert.equal(bench.lane('connectionsIdle'), 3);
      const newest = bench.origin.requests.length;
      await bench.send().done;
      await bench.idled();
      await bench.send().done;
      assert.equal(bench.origin.connections.length, 3);
      assert.equal(bench.origin.requests.length, newest + 2);
    }));

  test('lanes count connections and bytes', () =>
    withBench(subject, {}, async (bench) => {
      await bench.send().done;
      await bench.idled();
      await bench.send().done;
      await bench.idled();
      const raw = bench.origin.requests.reduce((sum, request) => sum + request.raw.length, 0);
      assert.equal(bench.lane('connectionsOpened'), 1);
      assert.equal(bench.lane('connectionsReused'), 1);
      assert.equal(bench.lane('connectionsOpen'), 1);
      assert.equal(bench.lane('connectionsIdle'), 1);
      assert.equal(bench.lane('bytesSent'), raw);
      assert.equal(bench.lane('bytesReceived'), 2 * answer().length);
      await bench.transport.close();
      while (bench.lane('connectionsOpen') > 0) await (await bench.origin.connection(0)).closed;
      assert.equal(bench.lane('connectionsIdle'), 0);
    }));

  test('a request that must be fresh gets a new connection', () =>
    withBench(subject, {}, async (bench) => {
      await occupy(bench, 1);
      const attempt = await bench.send({ mustUseFresh: true }).done;
      assert.equal(attempt.isReused, false);
      assert.equal(bench.origin.connections.length, 2);
    }));
}

function idleLimits(subject: TransportUnderTest): void {
  test('idle connections beyond the limit are closed, oldest first', () =>
    withBench(
      subject,
      { upstream: { limits: { maxConnections: 0, maxQueue: 0, maxIdle: 2, isAdaptive: false } } },
      async (bench) => {
        await occupy(bench, 3);
        assert.equal(bench.lane('connectionsIdle'), 2);
        assert.equal(bench.lane('connectionsOpen'), 2);
      },
    ));

  test('an idle connection closes after keepAliveMs', () =>
    withBench(subject, { upstream: { timeouts: { ...TIMEOUTS, keepAliveMs: 30 } } }, async (bench) => {
      await occupy(bench, 1);
      assert.equal(await (await bench.origin.connection(0)).gone, 'fin');
    }));

  test("the endpoint's hint counts, less two seconds", () =>
    withBench(subject, { upstream: { timeouts: { ...TIMEOUTS, keepAliveMs: 20 } } }, async (bench) => {
      bench.origin.play(send(answer('ok', 'Keep-Alive: timeout=60, max=5\r\n')));
      await bench.send().done;
      bench.origin.play(send(answer('ok', 'Keep-Alive: timeout=2\r\n')));
      const short = await bench.send({ mustUseFresh: true }).done;
      assert.equal(short.isReused, false);
      await (await bench.origin.connection(1)).gone;
      await bench.idled();
      assert.equal((await bench.send().done).isReused, true, 'the one with 60 s is still there');
    }));
}

function newSnapshots(subject: TransportUnderTest): void {
  test('dropIdle closes the idle connections of a slot, and only these', () =>
    withBench(subject, {}, async (bench) => {
      await occupy(bench, 2);
      const { promise, resolve } = Promise.withResolvers<void>();
      bench.origin.play(until(promise), send(answer()));
      const busy = bench.send();
      await bench.origin.request(2);
      bench.transport.dropIdle(bench.endpoint.slot);
      assert.equal(bench.lane('connectionsIdle'), 0);
      resolve();
      assert.equal((await busy.done).outcome, 'ok');
      await bench.idled();
      assert.equal(bench.lane('connectionsOpen'), 1);
    }));

  test('a new Snapshot keeps the connections of an endpoint that stays', () =>
    withBench(subject, {}, async (bench) => {
      await occupy(bench, 1);
      const endpoint = { ...bench.endpoint, weight: 7 };
      bench.transport.update([{ ...bench.upstream, endpoints: [endpoint] }]);
      assert.equal((await bench.send().done).isReused, true);
    }));

  for (const [name, change] of CHANGES) {
    test(`a new Snapshot with ${name} closes idle connections at once, leased ones after their request`, () =>
      withBench(subject, {}, async (bench) => {
        await occupy(bench, 1);
        const { promise, resolve } = Promise.withResolvers<void>();
        bench.origin.play(until(promise), send(answer()));
        const busy = bench.send({ mustUseFresh: true });
        await bench.origin.request(1);
        bench.transport.update(change(bench));
        await (await bench.origin.connection(0)).gone;
        resolve();
        assert.equal((await busy.done).outcome, 'ok');
        await (await bench.origin.connection(1)).gone;
        await bench.idled();
        assert.equal(bench.lane('connectionsOpen'), 0);
      }));
  }

  test('exchanges that began with a removed endpoint still reach it', () =>
    withBench(subject, {}, async (bench) => {
      bench.transport.update([]);
      assert.equal((await bench.send().done).outcome, 'ok');
      await (await bench.origin.connection(0)).gone;
    }));
}

function endsAndKinds(subject: TransportUnderTest): void {
  test('close cancels attempts in flight and reports it', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(hang());
      const attempt = bench.send();
      await bench.origin.request(0);
      await bench.transport.close();
      assert.equal((await attempt.done).outcome, 'cancelled sent');
      await (await bench.origin.connection(0)).gone;
    }));

  test('over a Unix socket', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'fairlead-'));
    const socketPath = path.join(folder, 'o.sock');
    const origin = await ScriptedOrigin.listen({ path: socketPath });
    await servesTwo(subject, { origin, endpoint: { socketPath, host: '', port: 0 } });
    await rm(folder, { recursive: true });
  });

  for (const [name, tls] of TLS) {
    test(`over TLS, ${name}`, async () => {
      const origin = await ScriptedOrigin.listen({ tls: { cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY } });
      await servesTwo(subject, { origin, endpoint: { protocol: 'https', port: origin.port }, upstream: { tls } });
    });
  }
}

const CHANGES: readonly (readonly [string, (bench: TransportBench) => TransportBench['upstream'][]])[] = [
  [
    'another generation of the slot',
    ({ upstream, endpoint }) => [{ ...upstream, endpoints: [{ ...endpoint, generation: 2 }] }],
  ],
  ['other settings of TLS', ({ upstream }) => [{ ...upstream, tls: { verify: false, ca: [], serverName: 'x' } }]],
  ['nothing in it', () => []],
];

const TLS = [
  ['with an authority of its own, by address', { verify: true, ca: [ORIGIN_CERTIFICATE], serverName: '' }],
  ['with an authority of its own, by name', { verify: true, ca: [ORIGIN_CERTIFICATE], serverName: 'origin.test' }],
  ['unverified', { verify: false, ca: [], serverName: '' }],
] as const;

/** Serves this many requests at once, so that as many connections are idle afterwards, up to the limit. */
async function occupy(bench: TransportBench, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = bench.origin.requests.length;
  const attempts = Array.from({ length: count }, () => {
    bench.origin.play(until(promise), send(answer()));
    return bench.send();
  });
  await bench.origin.request(before + count - 1);
  resolve();
  for (const attempt of attempts) assert.equal((await attempt.done).outcome, 'ok');
  await bench.idled();
}

/** Checks that the second request uses the connection of the first, whatever its Host. */
async function servesTwo(subject: TransportUnderTest, parts: BenchParts): Promise<void> {
  await withBench(subject, parts, async (bench) => {
    assert.equal((await bench.send().done).outcome, 'ok');
    await bench.idled();
    const second = await bench.send({ hostField: 'other.test' }).done;
    assert.equal(second.outcome, 'ok');
    assert.equal(second.isReused, true);
  });
}
