// socket.io behind two endpoints: polling needs every request of a session at its endpoint, which the sticky cookie does; a
// session that begins by polling upgrades to WebSocket. The packages are installed for the run. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startBehindPolicies } from './behind-policies.ts';

const MESSAGES = 50;

/** The parts of the packages that are used. */
interface ServerSocket {
  on(event: 'say', listener: (text: string, answer: (text: string) => void) => void): void;
}
interface ClientSocket {
  readonly connected: boolean;
  readonly io: { readonly engine: { readonly transport: { readonly name: string } } };
  timeout(ms: number): { emitWithAck(event: string, text: string): Promise<string> };
  once(event: string, listener: (error?: Error) => void): void;
  close(): void;
}
type OpenClient = (url: string, options: object) => ClientSocket;

/** @param folder with node_modules that has socket.io and socket.io-client */
export async function socketIo(folder: string): Promise<string> {
  // Installed for the run: no dependencies of this project.
  const load = createRequire(join(folder, 'index.js'));
  const { Server } = load('socket.io') as {
    Server: new (http: HttpServer) => { on(event: string, listener: (socket: ServerSocket) => void): void };
  };
  const { io } = load('socket.io-client') as { io: OpenClient };
  const servers = [createServer(), createServer()];
  for (const server of servers) {
    new Server(server).on('connection', (socket) =>
      socket.on('say', (text, answer) => answer(`${portOf(server)} ${text}`)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const fairlead = await startBehindPolicies(servers.map(portOf));
  try {
    const results: string[] = [];
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
      results.push(await converse(io, fairlead.url, transports));
    }
    return results.join(', ');
  } finally {
    await fairlead.stop();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

function portOf(server: HttpServer): number {
  return (server.address() as AddressInfo).port;
}

async function converse(io: OpenClient, url: string, transports: readonly string[]): Promise<string> {
  const socket = io(url, { transports, withCredentials: true, forceNew: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('connect_error', reject as (error?: Error) => void);
    });
    const answers = new Set<string>();
    for (let turn = 0; turn < MESSAGES; turn += 1) {
      const answer = await socket.timeout(10_000).emitWithAck('say', `message ${turn}`);
      assert.ok(answer.endsWith(` message ${turn}`), answer);
      answers.add(answer.split(' ')[0]!);
    }
    assert.equal(answers.size, 1, 'the session was at one endpoint');
    const ended = socket.io.engine.transport.name;
    assert.equal(ended, transports.at(-1));
    return `${transports.join(' to ')}: ${MESSAGES} messages`;
  } finally {
    socket.close();
  }
}
