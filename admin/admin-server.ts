// The admin API's server: binds, guards, answers. Never on a port that carries traffic. Thread: main.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BindAddress } from '../core/snapshot.ts';
import { bindServer } from './admin-bind.ts';
import { AdminError, type AdminReply, errorReply, sendReply } from './admin-reply.ts';
import { findRoute } from './admin-router.ts';
import type { AdminParts } from './admin-routes.ts';
import type { AdminContext } from './context.ts';
import { Metrics } from './metrics.ts';
import { readJsonBody } from './request-body.ts';
import { guardCaller, guardChange } from './request-guard.ts';
import { StatusView } from './status-view.ts';
import { TrafficWindow } from './traffic-window.ts';

/** Each of Node's limits by name, since its defaults differ between versions. Times in ms. */
const LIMITS = {
  /** Slowloris: a head that comes byte by byte. */
  headersTimeout: 10_000,
  /** The same of a body. */
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
  requireHostHeader: true,
  noDelay: true,
} as const;
const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 256;
const MAX_FIELDS = 100;

/** From `start` to `close`. */
export class AdminServer {
  readonly #context: AdminContext;
  readonly #parts: AdminParts;
  readonly #traffic: TrafficWindow;
  readonly #server: Server;
  #isUnixSocket = false;

  constructor(context: AdminContext) {
    this.#context = context;
    this.#traffic = new TrafficWindow(context);
    const status = new StatusView(context, this.#traffic);
    this.#parts = { context, status, metrics: new Metrics(context) };
    this.#server = createServer(LIMITS, (request, response) => void this.#serve(request, response));
    this.#server.timeout = IDLE_MS;
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxHeadersCount = MAX_FIELDS;
  }

  /**
   * Binds and serves. Returns host and port, or the path of a Unix socket.
   * @throws AdminBindError for an address that others can reach, that is taken or can't be had
   */
  async start(bind: BindAddress): Promise<string> {
    await bindServer(this.#server, bind);
    this.#server.on('error', (error) => this.#context.log.error({ error }, "the admin API's listener failed"));
    this.#traffic.start();
    this.#parts.metrics.start();
    const address = this.#server.address();
    this.#isUnixSocket = typeof address === 'string';
    if (address === null || typeof address === 'string') return address ?? '';
    return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
  }

  /** Ends at once, requests in progress included. */
  async close(): Promise<void> {
    this.#traffic.stop();
    this.#parts.metrics.stop();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#answer(request).catch((error: unknown) => this.#replyTo(error, request));
    if (!response.destroyed) sendReply(response, reply, request.method === 'HEAD');
  }

  async #answer(request: IncomingMessage): Promise<AdminReply> {
    guardCaller(request.headers, this.#isUnixSocket);
    const [path, query] = splitTarget(request.url ?? '');
    const { route, params } = findRoute(request.method ?? '', path);
    if (route.method !== 'GET') guardChange(request.headers);
    const body = route.method === 'GET' ? {} : await readJsonBody(request);
    return route.handle({ params, query: new URLSearchParams(query), body }, this.#parts);
  }

  #replyTo(error: unknown, request: IncomingMessage): AdminReply {
    if (error instanceof AdminError) return errorReply(error);
    // What a client broke off is no fault of ours.
    if (!request.socket.destroyed)
      this.#context.log.error({ error, path: request.url }, 'the admin API failed to answer');
    return errorReply(new AdminError(500, 'internal', 'a fault of Fairlead itself; the log says more'));
  }
}

function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}
