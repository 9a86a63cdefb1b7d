// Counters of HTTP/2 client connections, on our engine and on node:http2. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Bench } from '../../../../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../../../../support/certificates.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';
import { FRAME, frame, RawHttp2Client, requestFrame, uint32 } from '../../../../support/http2-frames.ts';
import { within } from '../../../../support/raw-client.ts';

const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;
const CANCEL = uint32(8);
const MAX_STREAMS = 256;

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const reached = async (): Promise<void> => {
    while (!isTrue()) await nextTurn();
  };
  await within(reached(), what);
}

for (const [path, fast] of [
  ['our engine', sharedParts()],
  ['node:http2', undefined],
] as const) {
  describe(path, () => {
    test('counts connections, streams, and the resets and GOAWAYs of the client', async () => {
      const bench = await new Bench({ ...(fast && { fast }), listener: { tls: TLS } }).start();
      const client = await RawHttp2Client.connect(bench.port);
      assert.deepEqual([bench.count('http2Connections'), bench.count('http2ConnectionsAccepted')], [1, 1]);
      client.send(requestFrame(1, [], true), requestFrame(3, [], true));
      await until(() => bench.count('http2Streams') === 2, 'two streams');
      client.send(frame(FRAME.rstStream, 0, 1, CANCEL));
      await until(() => bench.count('http2Streams') === 1, 'the reset');
      assert.equal(bench.count('http2ResetsReceived'), 1);
      client.send(frame(FRAME.goaway, 0, 0, Buffer.alloc(8)));
      await until(() => bench.count('http2GoawaysReceived') === 1, 'the GOAWAY');
      client.destroy();
      await until(() => bench.count('http2Connections') === 0, 'the end of the connection');
      assert.deepEqual([bench.count('http2Streams'), bench.count('http2ConnectionsAccepted')], [0, 1]);
      await bench.stop();
    });
  });
}

test('our engine counts the resets and GOAWAYs that it sends, and refused streams', async () => {
  const bench = await new Bench({ fast: sharedParts(), listener: { tls: TLS } }).start();
  const client = await RawHttp2Client.connect(bench.port);
  const requests = Array.from({ length: MAX_STREAMS + 1 }, (_, index) => requestFrame(2 * index + 1, [], true));
  client.send(...requests);
  await client.until(() => client.has(FRAME.rstStream, 2 * MAX_STREAMS + 1), 'the refusal');
  assert.deepEqual([bench.count('http2StreamsRefused'), bench.count('http2ResetsSent')], [1, 1]);
  client.send(frame(FRAME.windowUpdate, 0, 0, uint32(0)));
  await client.until(() => client.has(FRAME.goaway, 0), 'GOAWAY');
  assert.equal(bench.count('http2GoawaysSent'), 1);
  client.destroy();
  await bench.stop();
});
