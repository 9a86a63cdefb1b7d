// App server of a chaos run: a process that can be killed, stopped and made to misbehave. Usage:
// node endpoint-program.ts NAME LEDGER SLOTS SLOWNESS. It listens on a command by IPC. Thread: main.
//
// Each complete request is written to the ledger, a file, before it is processed. So the run knows what a process had
// accepted even if it was killed at that moment.

import { openSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { type EndpointCommand, type EndpointMode, PADDING } from './endpoint-contract.ts';
import { resetSocket } from '../../net/reset-socket.ts';

const LATE_MS = 4000;
/** Time from SIGTERM until idle connections are closed, in ms. */
const LAME_DUCK_MS = 200;

const [name = '', ledgerFile = '', slotsText = '0', slownessText = '1'] = process.argv.slice(2);
const ledger = openSync(ledgerFile, 'a');
const slowness = Number(slownessText);
const waiting: { readonly workMs: number; readonly done: () => void }[] = [];
let slots = Number(slotsText) || Number.POSITIVE_INFINITY;
let mode: EndpointMode = 'well';
let atWork = 0;
let isEnding = false;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('error', () => response.destroy());
  request.on('end', () => take(request, response, Buffer.concat(chunks)));
});
server.keepAliveTimeout = 60_000;

/** Handles a complete request. */
function take(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { pathname, searchParams } = new URL(request.url!, 'http://endpoint');
  const id = pathname.slice(pathname.lastIndexOf('/') + 1);
  const isCheck = pathname === '/health';
  const isGarbled = request.method === 'POST' && body.toString('latin1', 0, id.length) !== id;
  if (!isCheck) writeSync(ledger, `${request.method} ${id} ${isGarbled ? 'garbled' : mode}\n`);
  if (isGarbled) return void response.writeHead(400).end();
  if (mode === 'reset') return resetSocket(request.socket);
  if (mode === 'unavailable' || (mode === 'broken' && !isCheck)) return answer(response, 503, id);
  const finish = (): void => answer(response, 200, id);
  const work = isCheck ? finish : (): void => whenFree(Number(searchParams.get('work')), finish);
  if (mode === 'late') setTimeout(work, LATE_MS);
  else work();
}

/** Does the work in a slot, first come, first served. */
function whenFree(workMs: number, done: () => void): void {
  waiting.push({ workMs, done });
  begin();
}

function begin(): void {
  while (atWork < slots && waiting.length > 0) {
    const { workMs, done } = waiting.shift()!;
    atWork++;
    setTimeout(() => {
      atWork--;
      done();
      begin();
    }, workMs * slowness);
  }
}

function answer(response: ServerResponse, status: number, id: string): void {
  const body = id + PADDING;
  const headers = { 'content-type': 'text/plain', 'content-length': body.length, 'x-endpoint': name };
  response.writeHead(status, isEnding ? { ...headers, connection: 'close' } : headers).end(body);
}

/**
 * Stops accepting, answers requests on existing connections with `Connection: close`, and exits. Closing idle connections
 * at once would reset requests that have just arrived on them.
 */
function endInPeace(): void {
  isEnding = true;
  // The close() of node:http would also close idle connections.
  Server.prototype.close.call(server, () => process.exit(0));
  setTimeout(() => server.closeIdleConnections(), LAME_DUCK_MS);
}

process.on('message', (command: EndpointCommand) => {
  if (command.kind === 'mode') mode = command.mode;
  else if (command.kind === 'slots') slots = command.slots;
  else {
    server.listen({ port: command.port, host: '127.0.0.1', backlog: 1024 }, () => process.send!('listening'));
  }
});
process.on('SIGTERM', endInPeace);
// Ctrl-C reaches the whole process group; the run ends its endpoints itself.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
