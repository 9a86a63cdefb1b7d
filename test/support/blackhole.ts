// A listener with a full backlog that never accepts: connecting to it never completes. Thread: main.

import net from 'node:net';
import { Worker } from 'node:worker_threads';

/** Listens, prints the port, and blocks its event loop for ever. */
const SCRIPT = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(workerData, 0, 0));
  });
`;

/** More than a backlog of 1 holds: Linux accepts one more than that. */
const FILLERS = 8;

export interface Blackhole {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens a listener and fills its backlog. */
export async function openBlackhole(): Promise<Blackhole> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(SCRIPT, { eval: true, workerData: gate });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers = Array.from({ length: FILLERS }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
  await new Promise((resolve) => fillers[0]!.once('connect', resolve));
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy();
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      await worker.terminate();
    },
  };
}
