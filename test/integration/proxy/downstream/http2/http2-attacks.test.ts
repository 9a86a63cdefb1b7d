// Attacks on an HTTP/2 listener end with ENHANCE_YOUR_CALM, in bounded memory, while an honest client is served.
// Thread: main.
// Own process: its memory is measured.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ErrorCode } from '../../../../../proxy/http2/error-code.ts';
import { AppServer } from '../../../../support/app-server.ts';
import { type RunningFairlead, startFairlead } from '../../../../support/fairlead.ts';
import { FRAME } from '../../../../support/http2-frames.ts';
import { errorCodeOf, Http2Probe } from '../../../../support/http2-probe.ts';
import { patientMs } from '../../../../support/patience.ts';
import { type Attack, ATTACKS } from './http2-attacks.ts';

const CERTIFICATES = join(import.meta.dirname, '../../../../unit/config/certificates');
const LIMIT_MS = patientMs(10_000);
/** More than everything that one connection may make us hold. */
const MEMORY_BYTES = 96 * 1024 * 1024;

let app: AppServer;
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
  app.handler = (request, response) => {
    request.on('error', () => undefined).resume();
    // The attackers' requests are not answered: only their streams bound them.
    if (request.url !== '/slow') response.end('ok');
  };
  fairlead = await startFairlead(
    t as Parameters<typeof startFairlead>[0],
    `
workers: 1
fastPath: true
listeners:
  - name: web
    bind: "127.0.0.1:0"
    tls: { certificates: [{ cert: ${CERTIFICATES}/api.example.com.pem, key: ${CERTIFICATES}/api.example.com.key }] }
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://${app.address}"] } }
`,
  );
  honest = new HonestClient(fairlead.port);
});

after(async () => {
  await honest?.stop();
  await app.kill();
});

/** Sends an attack until the connection is refused. @returns the code of GOAWAY, or -1 */
async function play(attack: Attack): Promise<number> {
  const probe = await Http2Probe.handshake({ port: fairlead.port, isTls: true });
  let stream = -1;
  const next = (): number => (stream += 2);
  try {
    for (let count = 0; count < attack.writes && !probe.isClosed; count += 1) {
      await probe.write(...attack.write(next));
    }
    for (;;) {
      const event = await probe.next(LIMIT_MS);
      if (event === 'closed' || event === 'timeout') return -1;
      if (event.type === FRAME.goaway) return errorCodeOf(event);
    }
  } finally {
    probe.close();
  }
}

describe('an HTTP/2 listener under attack', () => {
  for (const attack of ATTACKS) {
    test(`${attack.name}: ENHANCE_YOUR_CALM`, async () => {
      const before = { served: honest.served, memory: process.memoryUsage().rss };
      assert.equal(await play(attack), ErrorCode.ENHANCE_YOUR_CALM);
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
