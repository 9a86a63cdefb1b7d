// An application with JSON, a stream of events, a page that reads it by EventSource, and uploads. Thread: main.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** 100 KiB of JSON. */
export const DOCUMENT = JSON.stringify(
  Array.from({ length: 1500 }, (_, id) => ({ id, name: `user ${id}`, isActive: true })),
);

/** Adds the data of each event to the page, and the time between them. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>events</title><p id="seen"></p><script>
const source = new EventSource('/events');
source.onmessage = (event) => { document.getElementById('seen').textContent += event.data + ' '; };
</script>`;

const EVENTS = 5;
const EVENT_EVERY_MS = 100;

/** Serves on a free port. */
export async function startPlainApp(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer(serve);
  // Browsers reconnect an EventSource on a connection of their own.
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST') return countUpload(request, response);
  if (request.url === '/events') return sendEvents(response);
  const isPage = request.url === '/';
  response.setHeader('Content-Type', isPage ? 'text/html' : 'application/json');
  response.setHeader('X-Powered-By', 'plain');
  response.end(isPage ? PAGE : DOCUMENT);
}

function countUpload(request: IncomingMessage, response: ServerResponse): void {
  let sizeBytes = 0;
  request.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.byteLength;
  });
  request.on('end', () => response.end(String(sizeBytes)));
}

function sendEvents(response: ServerResponse): void {
  response.setHeader('Content-Type', 'text/event-stream');
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    response.write(`data: event${sent}\n\n`);
    if (sent === EVENTS) clearInterval(timer);
  }, EVENT_EVERY_MS);
  response.on('close', () => clearInterval(timer));
}
