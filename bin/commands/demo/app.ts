// App server of the demo: a separate process, so that it can be killed and stopped. Thread: main.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FromApp, ToApp } from './app-messages.ts';

/** Delay of /slow, in ms, and of every response after the menu has slowed the server down. */
const SLOW_MS = 500;

const upstream = process.argv[2] ?? 'app';
let isSlow = false;

const server = createServer((request, response) => {
  request.resume();
  const { port } = server.address() as AddressInfo;
  const name = `${upstream}/127.0.0.1:${port}`;
  const isHeartbeat = request.url === '/healthz';
  const delayMs = !isHeartbeat && (isSlow || request.url?.startsWith('/slow') === true) ? SLOW_MS : 0;
  const answer = (): void => {
    const body = `hello from ${name} (pid ${process.pid}), you asked for ${request.method} ${request.url}\n`;
    response.writeHead(200, { 'content-type': 'text/plain', 'x-app': name });
    response.end(body);
  };
  if (delayMs === 0) answer();
  else setTimeout(answer, delayMs);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port } satisfies FromApp);
});
process.on('message', (message: ToApp) => {
  isSlow = message.isSlow;
});
// Exit with the demo, however it ended.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the demo ends its app servers itself.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
