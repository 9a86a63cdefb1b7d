// Graceful restarts of endpoints under load: they finish accepted requests, are absent for a second, and return. No request
// fails, POSTs included. Both paths. Thread: main.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppServer, startApps } from '../support/app-server.ts';
import { eventually, PATHS, startFairlead } from '../support/fairlead.ts';
import { shortOrLong } from '../support/test-length.ts';

const GONE_MS = 1_000;
const EVERY_MS = 10;
/** Open requests of a calm stream. */
const FEW = 9;

const config = (apps: readonly AppServer[], fastPath: boolean, more = ''): string => `
workers: 2
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}]
    health: { heartbeat: { path: /healthz, interval: 2s, fastInterval: 100ms, downInterval: 200ms, timeout: 2s } }
    timeouts: { keepAlive: 500ms }
    ${more}
`;

/** Sends `rate` requests a second, one in five a POST, whatever their outcome. */
class Stream {
  sent = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  readonly #failures: string[] = [];
  readonly #pending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #isCalming = false;
  #skipped = 0;

  constructor(t: TestContext, port: number, rate: number) {
    t.after(() => this.end());
    this.#port = port;
    const beganMs = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - beganMs) / 1_000) * rate - this.#skipped;
      while (this.sent < due && !this.#isFull()) this.#send();
      if (this.#isFull()) this.#skipped += Math.max(0, due - this.sent);
    }, EVERY_MS);
  }

  /** Resolves when few requests are open; sends fewer meanwhile where the machine is too busy to answer all. */
  async calm(): Promise<void> {
    this.#isCalming = true;
    let looks = 0;
    await eventually(() => {
      looks = this.#pending.size <= FEW ? looks + 1 : 0;
      return looks > 10;
    }, 'requests are answered as they come');
    this.#isCalming = false;
  }

  #isFull(): boolean {
    return this.#isCalming && this.#pending.size >= FEW;
  }

  /** Stops, waits for all responses, and returns the failures. */
  async end(): Promise<readonly string[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    this.#agent.destroy();
    return this.#failures;
  }

  #send(): void {
    const method = this.sent++ % 5 === 0 ? 'POST' : 'GET';
    const ended = this.#ask(method).catch((error: Error) => void this.#failures.push(`${method}: ${error.message}`));
    this.#pending.add(ended);
    void ended.then(() => this.#pending.delete(ended));
  }

  #ask(method: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const asked = request({ port: this.#port, host: '127.0.0.1', agent: this.#agent, method });
      asked.on('error', reject);
      asked.on('response', (response) => {
        response.resume();
        response.on('error', reject);
        if (response.statusCode === 200) response.on('end', resolve);
        else reject(new Error(`status ${response.statusCode}`));
      });
      asked.end(method === 'POST' ? 'x'.repeat(100) : undefined);
    });
  }
}

/** Answers after a delay, so that requests are always in flight. */
function takeTime(app: AppServer): void {
  app.handler = (asked, response) => {
    asked.resume();
    asked.on('end', () => setTimeout(() => response.end(app.name), 2));
  };
}

async function restart(app: AppServer): Promise<void> {
  await app.stop();
  await sleep(GONE_MS);
  await app.start();
}

for (const fastPath of PATHS) {
  // Endpoints and clients share this process; the general path needs more of the machine.
  const rate = fastPath ? shortOrLong(250, 500) : shortOrLong(150, 300);
  describe(`with the fast path ${fastPath ? 'on' : 'off'}`, () => {
    test(`a rolling restart of three endpoints under ${rate} requests a second fails no request`, async (t) => {
      const apps = await startApps(t, 3);
      for (const app of apps) takeTime(app);
      const fairlead = await startFairlead(t, config(apps, fastPath));
      const stream = new Stream(t, fairlead.port, rate);
      await eventually(() => apps.every(({ served }) => served > 50), 'all are in use');
      for (const app of apps) {
        await stream.calm();
        await restart(app);
        const { served } = app;
        await eventually(() => app.served > served + 50, 'it is in use again');
      }
      assert.deepEqual(await stream.end(), []);
      assert.equal(
        apps.reduce((sum, { served }) => sum + served, 0),
        stream.sent,
        'each was processed once',
      );
    });

    test('a restart of the only endpoint fails no request with whenAllDown: wait', async (t) => {
      const apps = await startApps(t, 1);
      takeTime(apps[0]!);
      const fairlead = await startFairlead(t, config(apps, fastPath, 'whenAllDown: wait'));
      const stream = new Stream(t, fairlead.port, 200);
      for (let round = 1; round <= 2; round++) {
        await eventually(() => apps[0]!.served > round * 100, 'it is in use');
        await stream.calm();
        await restart(apps[0]!);
      }
      await stream.calm();
      assert.deepEqual(await stream.end(), []);
      assert.equal(apps[0]!.served, stream.sent, 'each was processed once');
    });
  });
}
