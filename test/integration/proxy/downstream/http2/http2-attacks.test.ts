// Attacks on an HTTP/2 listener end with ENHANCE_YOUR_CALM, in bounded memory, while an honest client is served at nearly
// the pace that it has alone.
// Thread: main.
// Own process: its memory is measured.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ErrorCode } from '../../../../../proxy/http2/error-code.ts';
import { AppServer } from '../../../../support/app-server.ts';
import { type RunningFairlead, startFairlead } from '../../../../support/fairlead.ts';
import { patientMs } from '../../../../support/patience.ts';
import { playAttack } from './http2-attacker.ts';
import { ATTACKS } from './http2-attacks.ts';

const CERTIFICATES = join(import.meta.dirname, '../../../../unit/config/certificates');
/** On a busy machine an endpoint in this process is slow, which says nothing about the worker. */
const UNJUDGED = '{ heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }';
const LIMIT_MS = patientMs(10_000);
/** More than everything that one connection may make us hold. */
const MEMORY_BYTES = 96 * 1024 * 1024;

let app: AppServer;
let slow: Server;
let fairlead: RunningFairlead;
let honest: HonestClient;

/** Sends one request after the other. */
class HonestClient {
  readonly #session: ClientHttp2Session;
  #isRunning = true;
  served = 0;
  readonly #done: Promise<void>;

  constructor(port: number) {
    this.#session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const stream = this.#session.request({ ':path': '/' });
      stream.resume();
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      assert.equal(headers[':status'], 200);
      await once(stream, 'close');
      this.served += 1;
    }
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#done;
    this.#session.close();
  }
}

before(async (t) => {
  app = new AppServer('a');
  await app.start();
  app.handler = (_request, response) => void response.end('ok');
  // The attackers' requests are not read or answered: only their streams bound them.
  slow = createServer({ pauseOnConnect: true }, (socket) => socket.on('error', () => undefined));
  slow.listen(0, '127.0.0.1');
  await once(slow, 'listening');
  fairlead = await startFairlead(
    t as Parameters<typeof startFairlead>[0],
    `
workers: 1
fastPath: true
listeners:
  - name: web
    bind: "127.0.0.1:0"
    tls: { certificates: [{ cert: ${CERTIFICATES}/api.example.com.pem, key: ${CERTIFICATES}/api.example.com.key }] }
limits: { requestsPerConnection: none }
routes: [{ match: { path: /slow }, upstream: slow }, { upstream: app }]
upstreams:
  app: { endpoints: ["http://${app.address}"], health: ${UNJUDGED} }
  slow: { endpoints: ["http://127.0.0.1:${(slow.address() as AddressInfo).port}"], health: ${UNJUDGED} }
`,
  );
  honest = new HonestClient(fairlead.port);
});

after(async () => {
  await app.kill();
  slow.close();
});

describe('an HTTP/2 listener under attack', () => {
  for (const attack of ATTACKS) {
    test(`${attack.name}: ENHANCE_YOUR_CALM`, async () => {
      const before = { served: honest.served, memory: process.memoryUsage().rss };
      assert.equal(await playAttack(fairlead.port, attack), ErrorCode.ENHANCE_YOUR_CALM);
      const grown = process.memoryUsage().rss - before.memory;
      assert.ok(grown < MEMORY_BYTES, `${grown} bytes more`);
      const deadline = performance.now() + LIMIT_MS;
      while (honest.served <= before.served + 1) {
        assert.ok(performance.now() < deadline, 'the honest client is not served');
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  }
});

/** Requests of one measurement, and how many of them are open at a time. */
const REQUESTS = 40;
const OPEN = 4;
/** By how much attacks, one connection after the other, may slow the slowest requests of another client: a few turns of its worker. */
const MOST_SLOWDOWN = 50;
/** A machine that is busy with other work slows single measurements: the best one counts. */
const MEASUREMENTS = 4;

/** The 99th percentile of the latency of an honest client's requests, in ms. */
async function latencyOf(session: ClientHttp2Session): Promise<number> {
  const latencies: number[] = [];
  const run = async (): Promise<void> => {
    for (let count = 0; count < REQUESTS / OPEN; count += 1) {
      const beganMs = performance.now();
      const stream = session.request({ ':path': '/' });
      stream.resume();
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      assert.equal(headers[':status'], 200);
      await once(stream, 'close');
      latencies.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: OPEN }, run));
  return latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)]!;
}

describe('beside an attack that goes on', () => {
  let session: ClientHttp2Session;
  let attacker: Worker;

  before(async () => {
    await honest.stop();
    session = connect(`https://127.0.0.1:${fairlead.port}`, { rejectUnauthorized: false });
    attacker = new Worker(new URL('./http2-attacker.ts', import.meta.url), { workerData: fairlead.port });
    await latencyOf(session);
  });

  after(async () => {
    session.destroy();
    await attacker.terminate();
  });

  /** Has the attacker play, connection after connection. @param name null stops it */
  async function command(name: string | null): Promise<void> {
    attacker.postMessage(name);
    await once(attacker, 'message');
  }

  for (const { name } of ATTACKS) {
    test(`${name}: the slowest requests of an honest client take less than ${MOST_SLOWDOWN} times as long`, async () => {
      const ratios: number[] = [];
      do {
        const alone = await latencyOf(session);
        await command(name);
        ratios.push((await latencyOf(session)) / alone);
        await command(null);
      } while (ratios.at(-1)! >= MOST_SLOWDOWN && ratios.length < MEASUREMENTS);
      assert.ok(ratios.at(-1)! < MOST_SLOWDOWN, `ratios: ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')}`);
    });
  }
});
