// Server of the admin API: binds, authenticates, replies. Never shares a port with traffic. Thread: main.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { formatBindAddress } from '../../net/host-port.ts';
import type { SourceEvent } from '../../discovery/source-runner.ts';
import type { ProviderEvent } from '../../providers/provider-runner.ts';
import type { AdminSnapshot } from '../../core/snapshot/admin.ts';
import { admit, requireWriter } from './admin-access.ts';
import { AdminBinding, certificateNameOf } from './admin-binding.ts';
import { AdminError, type AdminReply, type AdminStream, errorReply, jsonReply, sendReply } from './admin-reply.ts';
import type { AdminParts } from './admin-route.ts';
import { findRoute } from './admin-router.ts';
import type {
  AdminContext,
  MaintenanceChange,
  MembershipChange,
  ReloadOutcome,
  SplitWeightChange,
} from '../admin-context.ts';
import { DashboardFiles } from './dashboard-files.ts';
import { EventFeed } from './event-feed.ts';
import { EventStreams } from './event-streams.ts';
import { isoOf } from './iso-time.ts';
import { liveStatus } from './live-status.ts';
import { Metrics } from '../metrics/metrics.ts';
import { openApiOf } from './open-api.ts';
import { fitBody, readJsonBody } from './json-body.ts';
import { guardCaller, guardChange } from './request-guard.ts';
import { RevisionTexts } from './revision-texts.ts';
import { StatusView } from './status-view.ts';
import { TrafficHistory } from '../metrics/traffic-history.ts';
import { TrafficWindow } from '../metrics/traffic-window.ts';

/** Addresses in one event of membership. */
const MOST_LISTED = 100;
/** Time for requests in progress when the API moves to another address, in ms. */
const LEAVE_MS = 5_000;

/** Serves from `start` to `close`. */
export class AdminServer {
  readonly #context: AdminContext;
  readonly #parts: AdminParts;
  readonly #traffic: TrafficWindow;
  /** Read at the first request, since a start does not need it. */
  #dashboard: DashboardFiles | null = null;
  #binding: AdminBinding | null = null;
  /** Former addresses with requests in progress. */
  readonly #left = new Set<AdminBinding>();

  constructor(context: AdminContext) {
    this.#context = context;
    this.#traffic = new TrafficWindow(context);
    this.#parts = partsOf(context, this.#traffic);
  }

  /**
   * Binds and serves. Returns host and port, or the path of a Unix socket.
   * @param fd descriptor of a socket that is bound there already
   * @throws AdminBindError for an address that is open to other machines, in use, or not available
   */
  async start(admin: AdminSnapshot, fd?: number): Promise<string> {
    this.#binding = await this.#bind(admin, fd);
    this.#traffic.start();
    this.#parts.history.start();
    this.#parts.revisions.start();
    this.#parts.metrics.start();
    return this.#binding.address;
  }

  /**
   * Applies a reload: tokens, hosts and certificates at once; a new address is bound before the old one is closed. A Unix
   * socket whose file was deleted is bound again.
   * Returns the address. @throws AdminBindError; nothing has changed then
   */
  async move(admin: AdminSnapshot, fd?: number): Promise<string> {
    const old = this.#binding!;
    const isSameAddress = formatBindAddress(old.admin.bind) === formatBindAddress(admin.bind);
    if (isSameAddress && kindOf(old.admin) === kindOf(admin) && !old.isFileMissing) {
      const isOtherwiseOpen = JSON.stringify(old.admin.tokens) !== JSON.stringify(admin.tokens);
      old.update(admin);
      // A caller whose token was removed must not keep its stream; the others reconnect at once.
      if (isOtherwiseOpen) this.#parts.streams.endAll();
      return old.address;
    }
    if (isSameAddress) {
      // An address cannot be bound twice: it is free for a moment, and connections are refused meanwhile.
      old.stopAccepting();
      this.#binding = await this.#bind(admin, fd).catch(async (error: unknown) => {
        this.#binding = await this.#bind(old.admin, fd);
        throw error;
      });
    } else this.#binding = await this.#bind(admin, fd);
    this.#leave(old);
    return this.#binding.address;
  }

  async #bind(admin: AdminSnapshot, fd: number | undefined): Promise<AdminBinding> {
    const binding: AdminBinding = new AdminBinding(admin, (request, response) => {
      void this.#serve(request, response, binding);
    });
    await binding.listen(fd);
    binding.server.on('error', (error) =>
      this.#context.log.error({ err: error }, `the listener of the admin API failed: ${error.message}`),
    );
    return binding;
  }

  /** Waits for requests in progress, including the one that triggered the reload. */
  #leave(old: AdminBinding): void {
    old.stopAccepting();
    this.#parts.streams.endAll();
    this.#left.add(old);
    this.#context.timers.after(LEAVE_MS, () => {
      this.#left.delete(old);
      void old.close();
    });
  }

  /** Number of open event streams. */
  get openStreams(): number {
    return this.#parts.streams.count;
  }

  /** Publishes the outcome of a reload to event streams, whatever triggered it. */
  noteReload(outcome: ReloadOutcome): void {
    if (outcome.ok) this.#parts.revisions.noteReload(outcome.changes);
    const { revision } = this.#context.snapshot();
    const at = isoOf(this.#context.clock.wallMs());
    const lists = {
      changes: outcome.ok ? [...outcome.changes] : [],
      problems: outcome.ok ? [] : [...outcome.problems],
    };
    this.#parts.feed.addReload({ at, ok: outcome.ok, generation: revision, ...lists });
  }

  /** Publishes a change of maintenance to event streams. */
  noteMaintenance({ at, of, name, isOn, cause }: MaintenanceChange): void {
    this.#parts.feed.addMaintenance({ at: isoOf(at), of, name, on: isOn, cause });
  }

  /** Publishes a change of a split to event streams. */
  noteSplit({ at, ...change }: SplitWeightChange): void {
    this.#parts.feed.addSplit({ at: isoOf(at), ...change });
  }

  /** Publishes a change of a discovery source to event streams. */
  noteSource({ at, ...event }: SourceEvent): void {
    this.#parts.feed.addSource({ at: isoOf(at), ...event });
  }

  /** Publishes a change of a provider to event streams. */
  noteProvider({ at, ...event }: ProviderEvent): void {
    this.#parts.feed.addProvider({ at: isoOf(at), ...event });
  }

  /** Publishes that endpoints were added or removed to event streams. */
  noteMembers({ at, upstream, origin, cause, added, removed }: MembershipChange): void {
    const counts = { addedCount: added.length, removedCount: removed.length };
    const lists = { added: added.slice(0, MOST_LISTED), removed: removed.slice(0, MOST_LISTED) };
    this.#parts.feed.addMembership({ at: isoOf(at), upstream, origin, cause, ...lists, ...counts });
  }

  /** Stops accepting: another process accepts on the same socket. Open connections are still served. */
  stopAccepting(): void {
    this.#binding?.stopAccepting();
  }

  /** Closes at once, with requests in progress. */
  async close(): Promise<void> {
    this.#traffic.stop();
    this.#parts.history.stop();
    this.#parts.revisions.stop();
    this.#parts.metrics.stop();
    this.#parts.streams.stop();
    this.#parts.feed.stop();
    const bindings = this.#binding === null ? [...this.#left] : [this.#binding, ...this.#left];
    await Promise.all(bindings.map((binding) => binding.close()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse, binding: AdminBinding): Promise<void> {
    const reply = await this.#answer(request, binding).catch((error: unknown) => this.#replyTo(error, request));
    if (!response.destroyed) sendReply(response, reply, request.method === 'HEAD');
  }

  async #answer(request: IncomingMessage, binding: AdminBinding): Promise<AdminReply | AdminStream> {
    const { headers } = request;
    const method = request.method ?? '';
    guardCaller(headers, binding.rules);
    const [path, query] = splitTarget(request.url ?? '');
    const page = path === '/' || path.startsWith('/dashboard') ? this.#page(method, path, headers) : null;
    if (page !== null) return page;
    const caller = admit({ method, path, headers }, binding.admin, certificateNameOf(request));
    const { route, params, allow } = findRoute(method, path);
    if (route === null) return { status: 204, contentType: '', body: '', fields: { Allow: allow } };
    if (route.method !== 'GET') {
      requireWriter(caller);
      guardChange(method, headers);
    }
    const body = route.body === undefined ? {} : fitBody(await readJsonBody(request), route.body);
    const lastEventId = headers['last-event-id'];
    return route.handle(
      {
        params,
        query: new URLSearchParams(query),
        body,
        ifMatch: headers['if-match'],
        lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
        accept: headers.accept,
        wantsStream: wantsStream(headers.accept),
        who: caller.who,
        role: caller.role,
      },
      this.#parts,
    );
  }

  #page(method: string, path: string, headers: IncomingHttpHeaders): AdminReply | null {
    this.#dashboard ??= new DashboardFiles();
    return this.#dashboard.answer(method, path, {
      ifNoneMatch: headers['if-none-match'],
      acceptEncoding: headers['accept-encoding']?.toString(),
    });
  }

  #replyTo(error: unknown, request: IncomingMessage): AdminReply {
    if (error instanceof AdminError) return errorReply(error);
    // An aborted request is not an error of the server.
    if (!request.socket.destroyed) {
      const text = `the admin API failed to answer ${request.method} ${request.url}: ${(error as Error).message}`;
      this.#context.log.error({ err: error, path: request.url }, text);
    }
    return errorReply(new AdminError(500, 'internal', 'a fault of Fairlead itself; the log says more'));
  }
}

/** Settings that a server cannot change while it is bound. */
function kindOf({ tls }: AdminSnapshot): string {
  if (tls === null) return 'http';
  return tls.clientCa === null ? 'https' : 'https with certificates of clients';
}

function partsOf(context: AdminContext, traffic: TrafficWindow): AdminParts {
  const feed = new EventFeed(context.health.events, context.startedAt);
  const endpointCount = () => context.snapshot().upstreams.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  const status = new StatusView(context, traffic);
  const live = () => liveStatus(context, traffic, status);
  let openApi: AdminReply | null = null;
  return {
    context,
    status,
    metrics: new Metrics(context),
    history: new TrafficHistory(context),
    revisions: new RevisionTexts(context),
    feed,
    streams: new EventStreams({ feed, timers: context.timers, live, endpointCount }),
    openApi: () => (openApi ??= jsonReply(openApiOf(context.version))),
  };
}

/** A stream needs its media type in Accept: any other value, `*` included, gets JSON. */
function wantsStream(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => range.split(';')[0]!.trim().toLowerCase() === 'text/event-stream');
}

function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}
