// The admin API's server: binds, guards, answers. Never on a port that carries traffic. Thread: main.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BindAddress } from '../core/snapshot.ts';
import { bindServer } from './admin-bind.ts';
import { AdminError, type AdminReply, type AdminStream, errorReply, jsonReply, sendReply } from './admin-reply.ts';
import type { AdminParts } from './admin-route.ts';
import { findRoute } from './admin-router.ts';
import type { AdminContext, ReloadOutcome } from './context.ts';
import { EventFeed } from './event-feed.ts';
import { EventStreams } from './event-streams.ts';
import { isoOf } from './iso-time.ts';
import { liveStatus } from './live-status.ts';
import { Metrics } from './metrics.ts';
import { openApiOf } from './open-api.ts';
import { fitBody, readJsonBody } from './request-body.ts';
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
/** Whose doing a change was, for log and record. */
const WHO = 'the admin API';

/** From `start` to `close`. */
export class AdminServer {
  readonly #context: AdminContext;
  readonly #parts: AdminParts;
  readonly #traffic: TrafficWindow;
  readonly #server: Server;
  #isUnixSocket = false;
  #closed: Promise<void> | null = null;

  constructor(context: AdminContext) {
    this.#context = context;
    this.#traffic = new TrafficWindow(context);
    this.#parts = partsOf(context, this.#traffic);
    this.#server = createServer(LIMITS, (request, response) => void this.#serve(request, response));
    this.#server.timeout = IDLE_MS;
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxHeadersCount = MAX_FIELDS;
  }

  /**
   * Binds and serves. Returns host and port, or the path of a Unix socket.
   * @param fd descriptor of a socket that is bound there already
   * @throws AdminBindError for an address that others can reach, that is taken or can't be had
   */
  async start(bind: BindAddress, fd?: number): Promise<string> {
    await bindServer(this.#server, bind, fd);
    this.#server.on('error', (error) => this.#context.log.error({ error }, "the admin API's listener failed"));
    this.#traffic.start();
    this.#parts.metrics.start();
    const address = this.#server.address();
    this.#isUnixSocket = typeof address === 'string';
    if (address === null || typeof address === 'string') return address ?? '';
    return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
  }

  /** Streams of events that are open. */
  get openStreams(): number {
    return this.#parts.streams.count;
  }

  /** Tells those who watch what a reload has come to, whoever asked for it. */
  noteReload(outcome: ReloadOutcome): void {
    const { generation } = this.#context.snapshot();
    const at = isoOf(this.#context.clock.wallMs());
    const lists = {
      changes: outcome.ok ? [...outcome.changes] : [],
      problems: outcome.ok ? [] : [...outcome.problems],
    };
    this.#parts.feed.addReload({ at, ok: outcome.ok, generation, ...lists });
  }

  /** Accepts no more connections: another process does, on the same socket. Those that are open are served on. */
  stopAccepting(): void {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** Ends at once, requests in progress included. */
  async close(): Promise<void> {
    this.#traffic.stop();
    this.#parts.metrics.stop();
    this.#parts.streams.stop();
    this.#parts.feed.stop();
    this.stopAccepting();
    this.#server.closeAllConnections();
    await this.#closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#answer(request).catch((error: unknown) => this.#replyTo(error, request));
    if (!response.destroyed) sendReply(response, reply, request.method === 'HEAD');
  }

  async #answer(request: IncomingMessage): Promise<AdminReply | AdminStream> {
    const { headers } = request;
    guardCaller(headers, this.#isUnixSocket);
    const [path, query] = splitTarget(request.url ?? '');
    const { route, params, allow } = findRoute(request.method ?? '', path);
    if (route === null) return { status: 204, contentType: '', body: '', fields: { Allow: allow } };
    if (route.method !== 'GET') guardChange(request.method ?? '', headers);
    const body = route.body === undefined ? {} : fitBody(await readJsonBody(request), route.body);
    const lastEventId = headers['last-event-id'];
    return route.handle(
      {
        params,
        query: new URLSearchParams(query),
        body,
        ifMatch: headers['if-match'],
        lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
        wantsStream: wantsStream(headers.accept),
        who: WHO,
      },
      this.#parts,
    );
  }

  #replyTo(error: unknown, request: IncomingMessage): AdminReply {
    if (error instanceof AdminError) return errorReply(error);
    // What a client broke off is no fault of ours.
    if (!request.socket.destroyed)
      this.#context.log.error({ error, path: request.url }, 'the admin API failed to answer');
    return errorReply(new AdminError(500, 'internal', 'a fault of Fairlead itself; the log says more'));
  }
}

function partsOf(context: AdminContext, traffic: TrafficWindow): AdminParts {
  const feed = new EventFeed(context.health.events, context.startedAt);
  const endpointCount = () => context.snapshot().upstreams.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  const live = () => liveStatus(context, traffic);
  let openApi: AdminReply | null = null;
  return {
    context,
    status: new StatusView(context, traffic),
    metrics: new Metrics(context),
    feed,
    streams: new EventStreams({ feed, timers: context.timers, live, endpointCount }),
    openApi: () => (openApi ??= jsonReply(openApiOf(context.version))),
  };
}

/** Streams are for who names them: any other Accept, `*` among it, gets JSON. */
function wantsStream(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => range.split(';')[0]!.trim().toLowerCase() === 'text/event-stream');
}

function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}
