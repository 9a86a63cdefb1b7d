// App servers for integration tests, in the test's own process: they count, and can be killed and brought back.
// Thread: main.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resetSocket } from '../../net/reset-socket.ts';
import { patientMs } from './patience.ts';

/** How long an app server that ends in peace waits for the other side to close idle connections. */
const LINGER_MS = patientMs(3_000);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class AppServer {
  readonly name: string;
  /** Requests that came, heartbeats excepted. */
  served = 0;
  /** Set to answer otherwise than with its name. */
  handler: Handler | null = null;
  /** Set to answer Upgrade requests; the socket is the handler's then. */
  onUpgrade: ((socket: Socket, request: IncomingMessage) => void) | null = null;
  #port = 0;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(name: string) {
    this.name = name;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    server.on('upgrade', (request, socket) => {
      if (this.onUpgrade === null) socket.destroy();
      else this.onUpgrade(socket as Socket, request);
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /**
   * Ends it in peace: accepts no more connections, finishes what comes on those that it has, says so in each answer
   * (Connection: close), and leaves it to the other side to close idle ones. Closing these itself would lose what is on
   * its way.
   */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    // What waits in the kernel for us to accept it would be reset with the listening socket.
    await afterNextPoll();
    const closed = once(server, 'close');
    // That of node:http closes idle connections.
    NetServer.prototype.close.call(server);
    await Promise.race([closed, sleep(LINGER_MS)]);
    // Timers come before what can be read: a request may be there that would be taken for none.
    await afterNextPoll();
    server.closeIdleConnections();
    await closed;
  }

  /** Ends it as a crash would: connections reset, port closed. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) resetSocket(socket);
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/healthz') {
      response.end('fine');
      return;
    }
    this.served++;
    if (this.#server === null) response.setHeader('connection', 'close');
    if (this.handler !== null) {
      this.handler(request, response);
      return;
    }
    request.resume();
    request.on('end', () => {
      response.setHeader('x-app', this.name);
      response.end(this.name);
    });
  }
}

/** Resolves when the event loop has taken in everything that was there to be accepted and read. */
async function afterNextPoll(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Starts app servers a, b, c ...; they end with the test. */
export async function startApps(t: TestContext, count: number): Promise<AppServer[]> {
  const apps = Array.from({ length: count }, (_, index) => new AppServer(String.fromCharCode(97 + index)));
  for (const app of apps) await app.start();
  t.after(() => Promise.all(apps.map((app) => app.kill())));
  return apps;
}
