// SETTINGS of client connections: the limit on streams, and clients that never acknowledge them. Thread: main.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../../../../../core/clock.ts';
import { Bench } from '../../../../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../../../../support/certificates.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';
import { FRAME, frame, PREFACE, RawHttp2Client, requestFrame } from '../../../../support/http2-frames.ts';
import { within } from '../../../../support/raw-client.ts';

const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;
const MAX_CONCURRENT_STREAMS = 3;
const SETTINGS_TIMEOUT = 4;

function limitOf(client: RawHttp2Client): number {
  const { payload } = client.frames.find(({ type, flags }) => type === FRAME.settings && flags === 0)!;
  const at = [...payload.keys()].find(
    (index) => index % 6 === 0 && payload.readUInt16BE(index) === MAX_CONCURRENT_STREAMS,
  );
  return payload.readUInt32BE(at! + 2);
}

for (const [path, fast] of [
  ['our engine', sharedParts()],
  ['node:http2', undefined],
] as const) {
  test(`${path}: limits.streams is announced and kept`, async () => {
    const bench = await new Bench({ ...(fast && { fast }), listener: { tls: TLS }, limits: { streams: 3 } }).start();
    const client = await RawHttp2Client.connect(bench.port);
    assert.equal(limitOf(client), 3);
    client.send(...[1, 3, 5, 7].map((stream) => requestFrame(stream, [], true)));
    // nghttp2 takes a stream beyond an acknowledged limit for a fault of the connection.
    if (fast === undefined) await client.untilClosed();
    else await client.until(() => client.has(FRAME.rstStream, 7), 'the refusal of the fourth');
    assert.ok(bench.starter.begun <= 3);
    client.destroy();
    await bench.stop();
  });
}

test('a client that never acknowledges SETTINGS gets SETTINGS_TIMEOUT', async () => {
  let aheadMs = 0;
  const clock = { nowMs: () => systemClock.nowMs() + aheadMs, wallMs: () => systemClock.wallMs() };
  const bench = await new Bench({ fast: sharedParts(), listener: { http2: true }, clock }).start();
  const socket = connect({ port: bench.port, host: '127.0.0.1' });
  const received: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
  await within(new Promise((resolve) => socket.once('data', resolve)), 'our SETTINGS');
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (bytes: Buffer) => received.push(bytes)).on('close', () => resolve());
  });
  aheadMs = 21_000;
  await within(ended, 'the end of the connection');
  socket.destroy();
  const goaway = Buffer.concat(received);
  const at = goaway.indexOf(Buffer.from([FRAME.goaway, 0, 0, 0, 0, 0]));
  assert.equal(goaway.readUInt32BE(at + 6 + 4), SETTINGS_TIMEOUT);
  await bench.stop();
});
