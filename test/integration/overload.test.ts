// Load shedding with real sockets, on both paths: a flood causes 503 and bounded memory, and shedding ends with it.
// Thread: main.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { WORKER } from '../../core/memory/layout.ts';
import { type AppServer, startApps } from '../support/app-server.ts';
import { eventually, PATHS, type RunningFairlead, startFairlead } from '../support/fairlead.ts';

const MIB = 2 ** 20;

const config = (app: AppServer, fastPath: boolean, overload: string, upstream = ''): string => `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
overload: ${overload}
routes:
  - { match: { path: /ping }, respond: { body: pong } }
  - { match: { path: /pay }, upstream: app, priority: critical }
  - { match: { path: /report }, upstream: app, priority: sheddable }
  - { upstream: app }
upstreams:
  app:
    endpoints: ["http://${app.address}"]
    ${upstream}
accessLog: { output: /dev/null }
`;

/** Sockets of clients, destroyed after the test. */
class Flood {
  readonly sockets: Socket[] = [];
  /** Received statuses. */
  readonly statuses: number[] = [];
  readonly retryAfters = new Set<string>();
  readonly #port: number;

  constructor(t: TestContext, port: number) {
    this.#port = port;
    t.after(() => this.end());
  }

  /** Opens connections that send `head` and then `body`, and read unless they are slow. */
  open(count: number, head: string, body: Uint8Array | null, isReading = true): void {
    for (let i = 0; i < count; i++) {
      const socket = connect(this.#port, '127.0.0.1');
      socket.on('error', () => undefined);
      if (isReading) socket.on('data', (data) => this.#read(data.toString('latin1')));
      else socket.pause();
      socket.write(head);
      if (body !== null) socket.write(body);
      this.sockets.push(socket);
    }
  }

  count(status: number): number {
    return this.statuses.filter((one) => one === status).length;
  }

  end(): void {
    for (const socket of this.sockets.splice(0)) socket.destroy();
  }

  #read(text: string): void {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
    if (status === undefined) return;
    this.statuses.push(Number(status));
    const after = /^retry-after: (.*)$/im.exec(text)?.[1];
    if (after !== undefined) this.retryAfters.add(after);
  }
}

function word(fairlead: RunningFairlead, of: { readonly index: number }): number {
  const { region } = fairlead.plane;
  return region.words[region.workerWord(0) + of.index]!;
}

const memoryMiB = (fairlead: RunningFairlead): number => word(fairlead, WORKER.memory) / 1024;

function statusOf(fairlead: RunningFairlead, path: string): Promise<number> {
  return fetch(`${fairlead.url}${path}`).then(async (response) => {
    await response.arrayBuffer();
    return response.status;
  });
}

for (const fastPath of PATHS) {
  const path = fastPath ? 'fast path' : 'general path';

  describe(`a flood, ${path}`, () => {
    test('of stalled bodies causes 503 at the memory limit, and the process recovers afterwards', async (t) => {
      const [app] = (await startApps(t, 1)) as [AppServer];
      // Reads bodies and never answers: replay buffers stay in memory.
      app.handler = (request) => request.resume();
      const upstream = 'retry: { buffer: 1MiB }';
      const overload = '{ memory: 96MiB, replayBuffers: 1GiB }';
      const fairlead = await startFairlead(t, config(app, fastPath, overload, upstream));
      const flood = new Flood(t, fairlead.port);
      const body = Buffer.alloc(MIB / 2);
      const head = `PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${MIB}\r\n\r\n`;
      for (let i = 0; i < 20 && flood.count(503) === 0; i++) {
        flood.open(20, head, body);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      await eventually(() => flood.count(503) > 0, 'a request is refused');
      assert.equal(await statusOf(fairlead, '/report'), 503);
      assert.equal(await statusOf(fairlead, '/ping'), 200, 'a response of a route itself is not shed');
      assert.ok(memoryMiB(fairlead) < 160, `${memoryMiB(fairlead)} MiB`);
      for (const after of flood.retryAfters) assert.match(after, /^[123]$/);
      assert.ok(fairlead.log.some(({ text }) => text.includes('overload.memory')));
      flood.end();
      app.handler = null;
      await eventually(async () => (await statusOf(fairlead, '/report')) === 200, 'requests pass again');
    });

    test('of large uploads keeps replay buffers within their budget, and none is refused', async (t) => {
      const [app] = (await startApps(t, 1)) as [AppServer];
      app.handler = (request) => request.resume();
      const overload = '{ memory: 200MiB, replayBuffers: 4MiB }';
      const fairlead = await startFairlead(t, config(app, fastPath, overload, 'retry: { buffer: 1MiB }'));
      const flood = new Flood(t, fairlead.port);
      const head = `PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${MIB}\r\n\r\n`;
      flood.open(150, head, Buffer.alloc(MIB - 1));
      await eventually(() => app.served === 150, 'all have reached the endpoint');
      let most = 0;
      for (let i = 0; i < 20; i++) {
        most = Math.max(most, memoryMiB(fairlead));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.ok(most < 140, `150 bodies of 1 MiB are under way, and ${most} MiB are in use`);
      assert.deepEqual(flood.statuses, []);
    });

    test('of slow readers costs little memory each, and is refused beyond the limit', async (t) => {
      const [app] = (await startApps(t, 1)) as [AppServer];
      // More than the kernel's buffers for a connection.
      const answer = Buffer.alloc(32 * MIB);
      app.handler = (request, response) => {
        request.resume();
        response.end(request.url === '/' ? answer : 'short');
      };
      const fairlead = await startFairlead(t, config(app, fastPath, '{ memory: 200MiB, requests: 100 }'));
      const flood = new Flood(t, fairlead.port);
      flood.open(90, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n', null, false);
      await eventually(() => word(fairlead, WORKER.openExchanges) === 90, 'all are under way');
      for (let i = 0; i < 10; i++) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.ok(memoryMiB(fairlead) < 120, `${memoryMiB(fairlead)} MiB for 3 GiB of answers`);
      flood.open(5, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n', null, false);
      await eventually(() => word(fairlead, WORKER.openExchanges) === 95, 'five more');
      assert.deepEqual([await statusOf(fairlead, '/'), await statusOf(fairlead, '/report')], [503, 503]);
      assert.equal(await statusOf(fairlead, '/pay'), 200, 'the last places are for critical routes');
      flood.end();
      await eventually(() => word(fairlead, WORKER.openExchanges) === 0, 'they have gone');
      assert.equal(await statusOf(fairlead, '/report'), 200);
    });
  });
}

test('requests in progress are limited over all workers', async (t) => {
  const [app] = (await startApps(t, 1)) as [AppServer];
  app.handler = (request) => request.resume();
  const text = config(app, true, '{ requests: 40 }').replace('workers: 1', 'workers: 2');
  const fairlead = await startFairlead(t, text);
  const flood = new Flood(t, fairlead.port);
  for (let i = 0; i < 100; i++) flood.open(1, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n', null);
  await eventually(() => flood.count(503) + app.served === 100, 'each is taken or refused');
  assert.ok(Math.abs(app.served - 38) <= 2, `${app.served} of 38`);
});
