// Answers every packet with one fixed response, over TCP or TLS: the least that a Node program does for a request.
// Usage: node bare-server.ts PORT [CERT KEY]. Thread: main.

import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\nhello from origin\n');

const [port, cert, key] = process.argv.slice(2);

function serve(socket: Socket): void {
  socket.setNoDelay(true).on('error', () => undefined);
  socket.on('data', () => socket.write(RESPONSE));
}

const server =
  cert === undefined || key === undefined
    ? createServer(serve)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, serve);
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
