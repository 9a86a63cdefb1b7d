// A program whose worker thread has lost a socket: Node can't end that thread. Prints why it was given up, then "done".
// Thread: main.

import type { WorkerStart } from '../../core/messages.ts';
import { WorkerHandle } from '../../control/supervisor/worker-handle.ts';

const LIMIT_MS = 500;

const WORKER = `
import { connect, createServer } from 'node:net';
import { parentPort } from 'node:worker_threads';
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => parentPort.postMessage('lost'));
  socket.on('end', () => {
    socket.end();
    socket['resetAndDestroy']();
  });
  socket.resume();
});
server.listen(0, '127.0.0.1', () => connect(server.address().port, '127.0.0.1').end());
`;

const lost = Promise.withResolvers<void>();
const url = new URL(`data:text/javascript,${encodeURIComponent(WORKER)}`);
const handle = new WorkerHandle(url, { worker: 0 } as WorkerStart, 0, {
  onMessage: () => lost.resolve(),
  onExit: (_handle, error) => console.log(error?.message),
});
await lost.promise;
await handle.kill(undefined, LIMIT_MS);
console.log('done');
