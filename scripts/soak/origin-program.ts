// App server of a soak in a separate process: produces every shape of response that the traffic requests. Thread: main.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BIG_BYTES, CHUNK_BYTES, CHUNKS, SMALL_BYTES } from './shapes.ts';

const SLOW_CHUNKS = 50;
const SLOW_INTERVAL_MS = 20;

const small = Buffer.alloc(SMALL_BYTES, 's');
const big = Buffer.alloc(BIG_BYTES, 'b');
const chunk = Buffer.alloc(CHUNK_BYTES, 'c');

const server = createServer((request, response) => {
  request.on('error', () => response.destroy());
  response.on('error', () => undefined);
  answer(request, response);
});
// Announced to Fairlead, so that its idle connections close soon after the traffic.
server.keepAliveTimeout = 6000;

function answer(request: IncomingMessage, response: ServerResponse): void {
  switch (request.url) {
    case '/big':
      return end(request, response, big);
    case '/chunked':
      request.resume();
      for (let count = 0; count < CHUNKS; count += 1) response.write(chunk);
      return void response.end();
    case '/slow':
      request.resume();
      return trickle(response, SLOW_CHUNKS);
    case '/hints':
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      return end(request, response, small);
    case '/post':
      return count(request, response);
    default:
      return end(request, response, small);
  }
}

function end(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  request.resume();
  response.writeHead(200, { 'content-length': body.length }).end(body);
}

/** Answers with the number of received bytes. */
function count(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (part: Buffer) => (bytes += part.length));
  request.on('end', () => response.end(String(bytes)));
}

function trickle(response: ServerResponse, left: number): void {
  if (response.destroyed) return;
  if (left === 0) return void response.end();
  response.write(chunk);
  setTimeout(() => trickle(response, left - 1), SLOW_INTERVAL_MS);
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
