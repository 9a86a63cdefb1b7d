// An endpoint of an upgraded connection sent its last bytes and closed with unread ones: the RST failed our next write,
// which destroyed the bytes that had been received. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SWITCH, withTunnels } from '../support/tunnel-bench.ts';

const ROUNDS = 12;
const LAST = 'l'.repeat(20_000);

/** Switches, waits for a byte, sends its last bytes and closes unread ones, which sends RST; then counts the close. */
const ENDPOINT = `
  const { workerData, parentPort } = require('node:worker_threads');
  const net = require('node:net');
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(workerData.head, 'latin1');
      socket.once('data', () => {
        socket.pause();
        socket.write(workerData.last, 'latin1');
        setTimeout(() => socket.destroy(), 5);
      });
    });
    socket.once('close', () => setTimeout(() => {
      Atomics.add(workerData.closes, 0, 1);
      Atomics.notify(workerData.closes, 0);
    }, 5));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('the last bytes of an endpoint reach the client although a write to it fails', async (t) => {
  const closes = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(ENDPOINT, { eval: true, workerData: { head: SWITCH, last: LAST, closes } });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  await withTunnels({ endpoint: { port } }, async (bench) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = Atomics.load(closes, 0);
      const client = bench.client();
      await (await bench.tunnel(round)).opened;
      // The bytes after the first one are unread at the endpoint, or come after its close.
      client.send('a');
      for (let count = 0; count < 20; count += 1) {
        await nextTurn();
        client.send('b'.repeat(1000));
      }
      assert.notEqual(Atomics.wait(closes, 0, before, 5000), 'timed-out');
      // Bytes of the client that are relayed before the loop can read those of the endpoint.
      for (let count = 0; count < 3; count += 1) bench.clientSockets[round]!.emit('data', Buffer.alloc(1000, 'c'));
      await client.closed;
      assert.ok(client.text.endsWith(LAST), `round ${round}: ${client.text.length} bytes`);
    }
  });
});
