// Responses that wait for the window of their connection, in the order of their priorities (RFC 9218). Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bench } from '../../../../contract/proxy/downstream/bench.ts';
import { responseHead } from '../../../../contract/proxy/downstream/scripted-starter.ts';
import { testCertificate } from '../../../../support/certificates.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';
import { FLAG, FRAME, frame, RawHttp2Client, requestFrame, uint32 } from '../../../../support/http2-frames.ts';

const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;
const BODY_BYTES = 60_000;
const PRIORITY_UPDATE = 0x10;
/** The window of a connection before WINDOW_UPDATE. */
const FIRST_WINDOW = 65_535;

/**
 * Requests one response after the other, none of which fits into what the first one has left of the connection's window,
 * and opens the window then.
 * @param priorities value of the field `priority` of each
 * @returns the streams in the order in which their DATA frames come
 */
async function orderOf(priorities: readonly string[], frames: readonly Buffer[] = []): Promise<number[]> {
  const bench = await new Bench({ fast: sharedParts(), listener: { tls: TLS } }).start();
  bench.starter.onBegin = (exchange) =>
    setImmediate(() => {
      exchange.client.sendHead(responseHead({ length: BODY_BYTES }), []);
      exchange.client.sendData(Buffer.alloc(BODY_BYTES));
      exchange.client.sendEnd(null);
    });
  const client = await RawHttp2Client.connect(bench.port, 0);
  const order: number[] = [];
  let receivedBytes = 0;
  client.onFrame = ({ type, stream, length }) => {
    if (type !== FRAME.data) return;
    receivedBytes += length;
    order.push(stream);
  };
  client.send(requestFrame(1, [], true));
  await client.until(() => receivedBytes === BODY_BYTES, 'the first response');
  const streams = priorities.map((_, index) => 3 + 2 * index);
  client.send(...streams.map((stream, index) => requestFrame(stream, ['priority', priorities[index]!], true)));
  await client.until(() => receivedBytes === FIRST_WINDOW, 'the whole window');
  await client.until(() => streams.every((stream) => client.has(FRAME.headers, stream)), 'all heads');
  order.length = 0;
  client.send(...frames, frame(FRAME.windowUpdate, 0, 0, uint32(1_000_000)));
  await client.until(() => receivedBytes === BODY_BYTES * (1 + streams.length), 'all responses');
  client.destroy();
  await bench.stop();
  return order;
}

/** The order without repetitions next to each other. */
function runsOf(order: readonly number[]): number[] {
  return order.filter((stream, at) => stream !== order[at - 1]);
}

describe('responses that wait for the window of their connection', () => {
  test('are sent by urgency', async () => {
    assert.deepEqual(runsOf(await orderOf(['u=5', 'u=1', 'u=3'])), [5, 7, 3]);
  });

  test('of equal urgency are sent one after the other, in the order of their requests', async () => {
    assert.deepEqual(runsOf(await orderOf(['u=2', 'u=2', 'u=2'])), [3, 5, 7]);
  });

  test('take turns where they are incremental', async () => {
    const runs = runsOf(await orderOf(['i', 'i']));
    assert.ok(runs.length >= 6, `streams in the order ${runs.join(' ')}`);
  });

  test('follow PRIORITY_UPDATE', async () => {
    const update = frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(7), Buffer.from('u=0')]));
    assert.deepEqual(runsOf(await orderOf(['u=5', 'u=1', 'u=3'], [update])), [7, 5, 3]);
  });

  test('PRIORITY_UPDATE on a stream is an error of the connection', async () => {
    const bench = await new Bench({ fast: sharedParts(), listener: { tls: TLS } }).start();
    const client = await RawHttp2Client.connect(bench.port);
    client.send(frame(PRIORITY_UPDATE, FLAG.ack, 1, Buffer.from('\0\0\0\x01u=0', 'latin1')));
    await client.until(() => client.has(FRAME.goaway, 0), 'GOAWAY');
    client.destroy();
    await bench.stop();
  });
});
