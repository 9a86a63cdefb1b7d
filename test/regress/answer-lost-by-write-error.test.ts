// An endpoint that refuses an upload answers, then closes with unread bytes: the RST that follows failed our next write,
// and the failed write destroyed the answer that had been received. Clients got 502 instead of 413. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { UNKNOWN_LENGTH } from '../../core/head.ts';
import { withBench, type TransportBench, type TransportUnderTest } from '../support/transport-bench.ts';
import { TRANSPORTS } from '../support/transports.ts';

const ROUNDS = 10;
const CHUNK = Buffer.alloc(65_536, 'x');
const KNOWN_LENGTH = 100 * CHUNK.length;
const BODY = 'b'.repeat(3000);
const REFUSALS = {
  'of known length': `HTTP/1.1 413 Too Large\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'in chunks': `HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n${BODY}\r\n0\r\n\r\n`,
} as const;

/** Answers at the first bytes of a request, reads no more and closes, which sends RST; then counts the close. */
const ENDPOINT = `
  const { workerData, parentPort } = require('node:worker_threads');
  const net = require('node:net');
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.write(workerData.answer, 'latin1');
      socket.destroy();
    });
    socket.once('close', () => setTimeout(() => {
      Atomics.add(workerData.closes, 0, 1);
      Atomics.notify(workerData.closes, 0);
    }, 5));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

interface Endpoint {
  readonly port: number;
  /** Closed connections. */
  readonly closes: Int32Array;
}

/** In a thread of its own: it must answer and close while the thread of the transport is blocked. */
async function startEndpoint(t: TestContext, answer: string): Promise<Endpoint> {
  const closes = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(ENDPOINT, { eval: true, workerData: { answer, closes } });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return { port, closes };
}

/** Uploads until the endpoint has closed, then writes on before the loop can read the answer. */
async function uploadPastTheClose(bench: TransportBench, bodyLength: number, endpoint: Endpoint) {
  const before = Atomics.load(endpoint.closes, 0);
  const attempt = bench.send({ method: 'POST', bodyLength });
  await attempt.saw('body-wanted');
  attempt.handle.sendBody(CHUNK);
  await nextTurn();
  assert.notEqual(Atomics.wait(endpoint.closes, 0, before, 5000), 'timed-out');
  for (let count = 0; count < 3; count += 1) attempt.handle.sendBody(CHUNK);
  return attempt.done;
}

async function answersAreDelivered(t: TestContext, transport: TransportUnderTest, answer: string, length: number) {
  const endpoint = await startEndpoint(t, answer);
  await withBench(transport, { endpoint: { port: endpoint.port } }, async (bench) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const attempt = await uploadPastTheClose(bench, length, endpoint);
      assert.equal(attempt.outcome, 'ok', `round ${round}: ${attempt.failure?.cause?.message}`);
      assert.deepEqual([attempt.head!.status, attempt.body], [413, BODY]);
    }
  });
}

for (const transport of TRANSPORTS) {
  describe(`${transport.name}: an answer during an upload survives a failed write`, () => {
    for (const [framing, answer] of Object.entries(REFUSALS)) {
      test(`answer ${framing}, upload of known length`, (t) => answersAreDelivered(t, transport, answer, KNOWN_LENGTH));
      test(`answer ${framing}, chunked upload`, (t) => answersAreDelivered(t, transport, answer, UNKNOWN_LENGTH));
    }
  });
}
