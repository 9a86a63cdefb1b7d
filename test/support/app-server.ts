// Application servers for integration tests, in the test's own process: they count requests, and can be killed and
// restarted. Thread: main.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { Server as NetServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resetSocket } from '../../net/reset-socket.ts';
import { freePort } from '../../scripts/peers/free-port.ts';
import { patientMs } from './patience.ts';

/** Time that a graceful stop leaves clients to close idle connections. */
const LINGER_MS = patientMs(3_000);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class AppServer {
  readonly name: string;
  /** Received requests, without heartbeats. */
  served = 0;
  /** Replaces the default response, which is the server's name. */
  handler: Handler | null = null;
  /** Handles Upgrade requests; owns the socket. */
  onUpgrade: ((socket: Socket, request: IncomingMessage) => void) | null = null;
  #port = 0;
  #host = '127.0.0.1';
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(name: string) {
    this.name = name;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `${this.#host}:${this.#port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Starts on another address of loopback. */
  async startAt(host: string, port: number): Promise<void> {
    this.#host = host;
    this.#port = port;
    await this.start();
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
    if (this.#port === 0) this.#port = await freePort();
    server.listen(this.#port, this.#host);
    await once(server, 'listening');
    this.#server = server;
  }

  /**
   * Stops gracefully: accepts no more connections, answers requests on open ones with `Connection: close`, and leaves idle
   * ones for the client to close. Closing them here would lose requests in transit.
   */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    // Closing the listening socket would reset connections that wait in its accept queue.
    await afterNextPoll();
    const closed = once(server, 'close');
    // node:http's close() closes idle connections.
    NetServer.prototype.close.call(server);
    await Promise.race([closed, sleep(LINGER_MS)]);
    // Timers run before reads: a received request may not have been read yet.
    await afterNextPoll();
    server.closeIdleConnections();
    await closed;
  }

  /** Stops like a crash: resets connections, closes the port. */
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

/** Resolves when the event loop has accepted and read everything that was pending. */
async function afterNextPoll(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Starts application servers a, b, c ...; they stop after the test. */
export async function startApps(t: TestContext, count: number): Promise<AppServer[]> {
  const apps = Array.from({ length: count }, (_, index) => new AppServer(String.fromCharCode(97 + index)));
  for (const app of apps) await app.start();
  t.after(() => Promise.all(apps.map((app) => app.kill())));
  return apps;
}

/** Servers on 127.0.0.1 and others of loopback, on one port, which answer with their address. @returns the port */
export async function startAppsOnAddresses(t: TestContext, addresses: readonly string[]): Promise<number> {
  const first = new AppServer(addresses[0]!);
  await first.start();
  const apps = [first, ...addresses.slice(1).map((address) => new AppServer(address))];
  t.after(() => Promise.all(apps.map((app) => app.kill())));
  for (const [at, app] of apps.entries()) if (at > 0) await app.startAt(addresses[at]!, first.port);
  return first.port;
}
