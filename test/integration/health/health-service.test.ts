// Health with real time and real sockets: servers die and come back. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { AVAILABILITY } from '../../../core/availability.ts';
import { systemClock } from '../../../core/clock.ts';
import { E_AVAILABILITY } from '../../../core/memory/layout.ts';
import { Region } from '../../../core/memory/region.ts';
import { systemRandom } from '../../../core/random.ts';
import { systemTimers } from '../../../core/timers.ts';
import { runCheck } from '../../../health/checkers/checkers.ts';
import { HealthService } from '../../../health/health-service.ts';
import type { HealthEvent } from '../../../health/record/health-events.ts';
import { HEARTBEAT } from '../../support/health-bench.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../support/snapshots.ts';
import { SILENT_LOG } from '../../support/loggers.ts';
import { resetSocket } from '../../../net/reset-socket.ts';

/** A server that can play dead: it then resets every connection, and keeps its port. */
class MortalServer {
  isDead = false;
  readonly #server: Server = createServer((_request, response) => response.end('ok'));

  async listen(t: TestContext): Promise<number> {
    this.#server.on('connection', (socket: Socket) => {
      if (this.isDead) resetSocket(socket);
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    t.after(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return (this.#server.address() as AddressInfo).port;
  }
}

function healthOf(t: TestContext, ports: readonly number[]): { health: HealthService; region: Region } {
  const region = Region.allocate({ endpoints: 4, upstreams: 1, workers: 1, listeners: 1 }, Date.now());
  const parts = { region, clock: systemClock, random: systemRandom, timers: systemTimers, log: SILENT_LOG, runCheck };
  const health = new HealthService(parts);
  t.after(() => health.stop());
  const endpoints = ports.map((port, slot) => endpointSnapshot(slot, { port }));
  const intervals = { intervalMs: 40, fastIntervalMs: 40, downIntervalMs: 40, timeoutMs: 5_000 };
  const upstream = upstreamSnapshot({ endpoints, heartbeat: { ...HEARTBEAT, ...intervals } });
  health.apply(snapshot({ upstreams: [upstream] }));
  return { health, region };
}

/** The next event of a kind. Keeps the process alive while it waits. */
function nextEvent(health: HealthService, fits: (event: HealthEvent) => boolean): Promise<HealthEvent> {
  const alive = setInterval(() => {}, 1_000);
  return new Promise((resolve) => {
    const leave = health.events.subscribe((event) => {
      if (!fits(event)) return;
      leave();
      clearInterval(alive);
      resolve(event);
    });
  });
}

test('a server that dies is down, with the cause, and up again when it is back', async (t) => {
  const servers = [new MortalServer(), new MortalServer()] as const;
  const ports = [await servers[0].listen(t), await servers[1].listen(t)];
  const mortal = `api/127.0.0.1:${ports[1]}`;
  const { health, region } = healthOf(t, ports);
  const published = (): number => region.words[region.endpointWord(1) + E_AVAILABILITY]!;
  await nextEvent(health, ({ endpoint, to }) => endpoint === mortal && to === 'up');

  const down = nextEvent(health, ({ to }) => to === 'down');
  servers[1].isDead = true;
  const event = await down;
  assert.equal(event.endpoint, mortal);
  assert.match(event.cause, /^heartbeat GET \/healthz: connection (reset|closed) ?.*\(3 of 3 failed\)$/);
  assert.equal(published(), AVAILABILITY.down);

  const up = nextEvent(health, ({ to }) => to === 'up');
  servers[1].isDead = false;
  assert.equal((await up).endpoint, mortal);
  assert.equal(published(), AVAILABILITY.up);
  const view = health.endpoints()[1]!;
  assert.ok(view.heartbeats.length >= 5 && view.heartbeats.length <= 8);
  assert.ok(view.counters.checksFailed >= 3 && view.downtimeSeconds > 0);
});
