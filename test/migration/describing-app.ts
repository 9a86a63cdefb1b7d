// An app server that answers with a description of the request, or with a prepared response. Thread: main.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

const BIG = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `item ${id}` })));

/** Prepared responses by path: fields and body. */
const PREPARED: Readonly<Record<string, readonly [Record<string, string>, string]>> = {
  '/big.json': [{ 'content-type': 'application/json' }, BIG],
  '/tagged.json': [{ 'content-type': 'application/json', etag: '"t"', 'accept-ranges': 'bytes' }, BIG],
  '/small.json': [{ 'content-type': 'application/json' }, '{"small":true}'],
  '/big.png': [{ 'content-type': 'image/png' }, BIG],
  '/events': [{ 'content-type': 'text/event-stream' }, `data: ${BIG}\n\n`],
  '/plain': [{ 'content-type': 'text/plain', 'cache-control': 'max-age=60' }, 'plain\n'],
  '/cookie': [{ 'content-type': 'text/plain', 'set-cookie': 'own=1; Path=/; HttpOnly' }, 'a cookie'],
};

/** Starts it. Returns its port. */
export async function describingApp(t: TestContext, name: string): Promise<number> {
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
    request.on('end', () => answer(name, request, response, bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function answer(name: string, request: IncomingMessage, response: ServerResponse, bytes: number): void {
  const { method, url = '/', headers } = request;
  const own = { 'x-app': name, 'x-powered-by': 'node' };
  const prepared = PREPARED[url];
  if (prepared !== undefined) {
    response.writeHead(200, { ...own, ...prepared[0], 'content-length': Buffer.byteLength(prepared[1]) });
    response.end(prepared[1]);
    return;
  }
  const status = Number(/^\/status\/(\d+)$/.exec(url)?.[1] ?? 200);
  const text = JSON.stringify({ seen: { line: `${method} ${url}`, headers, bytes } });
  response.writeHead(status, { ...own, 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
