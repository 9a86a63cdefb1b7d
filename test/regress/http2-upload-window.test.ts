// Uploads over HTTP/2 waited for a window update every few reads: each stream had a fixed window of 64 KiB. Over node:http2 a
// connection that uploads on few streams gets larger ones; in our engine each window grows. Their sum stays bounded.
// Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Bench } from '../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually, startFairlead } from '../support/fairlead.ts';
import { sharedParts } from '../support/http1-parts.ts';
import { FRAME, frame, RawHttp2Client, requestFrame } from '../support/http2-frames.ts';
import { endWithTest } from '../support/http2-session.ts';

const SMALL = { initialWindowSize: 65_535, maxConcurrentStreams: 256 };
const LARGE = { initialWindowSize: 1_048_576, maxConcurrentStreams: 16 };
const CHUNK = Buffer.alloc(65_536);

async function open(t: TestContext): Promise<ClientHttp2Session> {
  const sink = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  t.after(() => sink.close());
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { cert, key } = testCertificate(['example.test']);
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  const fairlead = await startFairlead(
    t,
    `
workers: 1
fastPath: false
listeners:
  - name: web
    bind: "127.0.0.1:0"
    tls: { certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] }
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://127.0.0.1:${(sink.address() as AddressInfo).port}"], health: { heartbeat: false } } }
`,
  );
  const session = connect(`https://127.0.0.1:${fairlead.port}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  endWithTest(t, session);
  await once(session, 'remoteSettings');
  return session;
}

function settingsOf(session: ClientHttp2Session): { initialWindowSize?: number; maxConcurrentStreams?: number } {
  const { initialWindowSize, maxConcurrentStreams } = session.remoteSettings;
  return { initialWindowSize, maxConcurrentStreams };
}

function upload(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  stream.on('error', () => undefined);
  stream.resume();
  return stream;
}

/** Writes until the windows are large. */
async function uploadUntilLarge(session: ClientHttp2Session, stream: ClientHttp2Stream): Promise<void> {
  await eventually(async () => {
    if (!stream.write(CHUNK)) await Promise.race([once(stream, 'drain'), delay(100)]);
    return settingsOf(session).initialWindowSize === LARGE.initialWindowSize;
  }, 'large windows');
}

test('node:http2: windows grow with an upload, shrink with many streams, and the upload is whole', async (t) => {
  const session = await open(t);
  assert.deepEqual(settingsOf(session), SMALL);
  const stream = upload(session);
  await uploadUntilLarge(session, stream);
  assert.deepEqual(settingsOf(session), LARGE);
  const others = Array.from({ length: 12 }, () => upload(session));
  await eventually(() => settingsOf(session).initialWindowSize === SMALL.initialWindowSize, 'small windows');
  assert.deepEqual(settingsOf(session), SMALL);
  const responses = [stream, ...others].map((one) => once(one, 'response'));
  for (const one of [stream, ...others]) one.end(CHUNK);
  for (const response of responses) {
    const [headers] = (await response) as [{ ':status': number }];
    assert.equal(headers[':status'], 200);
  }
});

test('node:http2: windows shrink when the upload is over', async (t) => {
  const session = await open(t);
  const stream = upload(session);
  await uploadUntilLarge(session, stream);
  stream.end(CHUNK);
  await once(stream, 'close');
  await eventually(() => settingsOf(session).initialWindowSize === SMALL.initialWindowSize, 'small windows');
});

const STREAMS = 6;
const FIRST_WINDOW = 65_535;
/** The bound on what all windows of a connection may have grown by. */
const MAX_GROWTH = 8_388_608;

test('our engine: the window of each upload grows while its endpoint keeps up, and their sum is bounded', async (t) => {
  const tls = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;
  const bench = await new Bench({ fast: sharedParts(), listener: { tls } }).start();
  t.after(() => bench.stop());
  bench.starter.onBegin = (exchange) => setImmediate(() => exchange.client.resumeBody());
  const client = await RawHttp2Client.connect(bench.port);
  t.after(() => client.destroy());
  const windows = new Map<number, number>();
  let connectionWindow = FIRST_WINDOW;
  const send = (stream: number): void => {
    for (;;) {
      const size = Math.min(16_384, windows.get(stream)!, connectionWindow);
      if (size <= 0) return;
      windows.set(stream, windows.get(stream)! - size);
      connectionWindow -= size;
      client.send(frame(FRAME.data, 0, stream, CHUNK.subarray(0, size)));
    }
  };
  client.onFrame = ({ type, stream, payload }) => {
    if (type !== FRAME.windowUpdate) return;
    const increment = payload.readUInt32BE(0);
    if (stream === 0) connectionWindow += increment;
    else windows.set(stream, windows.get(stream)! + increment);
  };
  for (const { type, payload, stream } of client.frames) {
    if (type === FRAME.windowUpdate && stream === 0) connectionWindow += payload.readUInt32BE(0);
  }
  for (let index = 0; index < STREAMS; index += 1) {
    windows.set(1 + 2 * index, FIRST_WINDOW);
    client.send(requestFrame(1 + 2 * index, [], false, 'POST'));
  }
  let largest = 0;
  let largestSum = 0;
  await eventually(() => {
    for (const stream of windows.keys()) send(stream);
    const open = [...windows.values()];
    largest = Math.max(largest, ...open);
    largestSum = Math.max(
      largestSum,
      open.reduce((sum, bytes) => sum + bytes, 0),
    );
    return largest > 1_000_000;
  }, 'a large window');
  assert.ok(largestSum <= STREAMS * FIRST_WINDOW + MAX_GROWTH, `windows of ${largestSum} bytes`);
});
