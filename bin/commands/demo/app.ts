// App server of the demo: a separate process, so that it can be killed. Thread: main.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const name = process.argv[2] ?? 'app';

const server = createServer((request, response) => {
  request.resume();
  const delayMs = request.url?.startsWith('/slow') ? 500 : 0;
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
  process.send?.({ name, port: (server.address() as AddressInfo).port });
});
// Exit with the demo, however it ended.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the demo ends its app servers itself.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
