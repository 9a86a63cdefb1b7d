// Large bodies over HTTP/2 to endpoints: a peer that takes nothing holds back the other one, in bounded memory, and gets all
// of it once it reads. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type Http2Stream, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATHS, startFairlead } from '../../../support/fairlead.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithTest } from '../../../support/http2-session.ts';

const TOTAL_BYTES = 48 * 1_048_576;
const CHUNK = Buffer.alloc(65_536, 'x');
/** Windows of three connections, socket buffers, and what Node's streams hold. */
const MOST_HELD_BYTES = 16 * 1_048_576;

/** Writes TOTAL_BYTES with back-pressure. Returns a counter of the bytes that the stream has taken. */
function pour(stream: Http2Stream): { takenBytes: number; readonly done: Promise<void> } {
  const counter = { takenBytes: 0, done: Promise.resolve() };
  const run = async (): Promise<void> => {
    while (counter.takenBytes < TOTAL_BYTES) {
      await new Promise<void>((resolve) => stream.write(CHUNK, () => resolve()));
      counter.takenBytes += CHUNK.length;
    }
    stream.end();
  };
  counter.done = run();
  return counter;
}

async function countBytes(stream: Http2Stream): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += (chunk as Buffer).length;
  return bytes;
}

/** Waits until a counter stands still. */
async function stalled(counter: { readonly takenBytes: number }): Promise<number> {
  let before = -1;
  while (before !== counter.takenBytes || before === 0) {
    before = counter.takenBytes;
    await sleep(300);
  }
  return before;
}

async function startAt(t: TestContext, isFast: boolean, onStream: (stream: ServerHttp2Stream) => void) {
  const server = http2.createServer();
  server.on('stream', onStream);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-pressure-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'cert.pem'), ORIGIN_CERTIFICATE);
  writeFileSync(join(folder, 'key.pem'), ORIGIN_KEY, { mode: 0o600 });
  const { port } = await startFairlead(
    t,
    `fastPath: ${isFast}
workers: 1
listeners: [{ name: web, bind: 127.0.0.1:0, tls: { certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] } }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://127.0.0.1:${(server.address() as AddressInfo).port}], protocol: http2, health: { heartbeat: false } } }
`,
  );
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  // Closing Fairlead may reset it.
  session.on('error', () => undefined);
  endWithTest(t, session);
  return session;
}

for (const isFast of PATHS) {
  test(`fastPath: ${isFast}: a client that does not read holds back its endpoint, and others are served`, async (t) => {
    let poured: ReturnType<typeof pour> | null = null;
    const session = await startAt(t, isFast, (stream) => {
      stream.respond({ ':status': 200 });
      if (poured === null) poured = pour(stream);
      else stream.end('ok');
    });
    const slow = session.request({ ':path': '/slow' });
    await once(slow, 'response');
    const held = await stalled({
      get takenBytes() {
        return poured?.takenBytes ?? 0;
      },
    });
    assert.ok(held < MOST_HELD_BYTES, `${held} bytes were taken`);
    assert.equal(await countBytes(session.request({ ':path': '/other' })), 2);
    assert.equal(await countBytes(slow), TOTAL_BYTES);
  });

  test(`fastPath: ${isFast}: an endpoint that does not read holds back its client`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<ServerHttp2Stream>();
    const session = await startAt(t, isFast, (stream) => {
      stream.respond({ ':status': 200 });
      resolve(stream);
    });
    const upload = session.request({ ':path': '/', ':method': 'POST' });
    const poured = pour(upload);
    const stream = await promise;
    const held = await stalled(poured);
    assert.ok(held < MOST_HELD_BYTES, `${held} bytes were taken`);
    assert.equal(await countBytes(stream), TOTAL_BYTES);
    stream.end();
    await poured.done;
  });
}
