// App servers for `npm run reloads` in a separate process: plain responses, endless event streams, and upgraded
// connections that echo. Reports the ports to its parent. Thread: main.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const EVENT_EVERY_MS = 100;

function stream(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let count = 0;
  const timer = setInterval(() => response.write(`data: ${count++}\n\n`), EVENT_EVERY_MS);
  response.on('close', () => clearInterval(timer));
}

async function serve(): Promise<number> {
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    if (request.url?.startsWith('/events') === true) stream(response);
    else {
      request.resume();
      response.end('ok');
    }
  });
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    socket.write('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n');
    socket.on('data', (bytes: Buffer) => socket.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const ports = await Promise.all(Array.from({ length: Number(process.argv[2]) }, serve));
process.send!(ports);
process.on('disconnect', () => process.exit());
