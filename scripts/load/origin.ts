// App server for load tests and benchmarks: a separate process that can be killed. Answers at once and reports its
// request count by IPC. Thread: main.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const name = process.argv[2] ?? 'origin';
const port = Number(process.argv[3] ?? 0);
let served = 0;

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    served++;
    response.writeHead(200, { 'content-type': 'text/plain', 'x-origin': name });
    response.end(`hello from ${name}\n`);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1', () =>
  process.send?.({ kind: 'listening', port: (server.address() as AddressInfo).port }),
);
process.on('message', (message) => {
  if (message === 'count') process.send?.({ kind: 'count', served });
});
process.on('disconnect', () => process.exit(0));
