// Client side of a worker: listeners, kept over reloads; accepted connections; drains. Thread: worker.

import type { Socket } from 'node:net';
import { compileCidrs } from '../../core/cidr.ts';
import type { Clock } from '../../core/clock.ts';
import type { ExchangeStarter } from '../../core/exchange-contract.ts';
import type { Region } from '../../core/memory/region.ts';
import type { BoundListener, CertificateOffer, CertificateRequest, HeldDescriptors } from '../../core/messages.ts';
import { type Random, systemRandom } from '../../core/random.ts';
import type { PolicyServices } from '../../core/policy/policy-definition.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { TicketSecrets } from '../../core/ticket-secrets.ts';
import { systemTimers, type Timers } from '../../core/timers.ts';
import type { Logger } from '../../core/log.ts';
import { clientShareOf, openFilesLimit } from '../../net/open-files.ts';
import { ConnectionFacts, type LiveListener } from './accept/connection-facts.ts';
import { ConnectionLedger } from './accept/connection-ledger.ts';
import { ConnectionTable } from './accept/connection-table.ts';
import { ProxyHeaderGate } from './accept/proxy-header-gate.ts';
import { ConnectionServer } from './connection-server.ts';
import type { DownstreamContext, DrainableConnection } from './downstream-context.ts';
import type { Http1Parts } from './http1/http1-context.ts';
import type { Http2Context } from './http2/http2-context.ts';
import { ResponseBlocks } from './http2/response-blocks.ts';
import { FrameMemory } from '../http2/frame-writer.ts';
import { DateLine, ResponseEncoder } from './http1/response-encoder.ts';
import { type ListenerService, ListenerSet } from './accept/listener-set.ts';
import { OnDemandCertificates } from './accept/on-demand-certificates.ts';
import { TicketKeyring } from './accept/ticket-keyring.ts';
import { TcpServer } from './tcp/tcp-server.ts';
import type { TcpSessions } from './tcp/tcp-sessions.ts';
import { Sweeper } from './accept/sweeper.ts';

export interface DownstreamOptions {
  readonly starter: ExchangeStarter;
  readonly region: Region;
  readonly worker: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timers?: Timers;
  readonly random?: Random;
  /** Dependencies of the HTTP/1.1 engine; left out, it is off. */
  readonly fast?: Http1Parts;
  /** Whether the engine serves new connections; always, if left out. */
  readonly isFastPathOn?: () => boolean;
  /** For sessions that all workers resume; left out, this one's own. */
  readonly ticketSecrets?: TicketSecrets;
  /** Memory about clients; left out, no connections are counted for each client. */
  readonly clients?: Pick<PolicyServices, 'clients' | 'counts'>;
  /** Serves listeners with `mode: tcp`; left out, there are none. */
  readonly sessions?: TcpSessions;
  /** Requests certificates from main; left out, unknown names get none. */
  readonly requestCertificate?: (request: CertificateRequest) => void;
  /** The most files that this process may have open; left out, the system's limit. */
  readonly openFiles?: number;
  /** Precision of idle limits, in ms; see SWEEP_INTERVAL_MS. */
  readonly sweepIntervalMs?: number;
}

const ACCEPT_LOG_MS = 10_000;

/** The next request of a connection that has been idle for less may be in flight: a drain waits for it. */
const DRAIN_IDLE_MS = 500;
/** Idle connections are closed this long before a drain's deadline, so that none of them is reset. */
const GOODBYE_MS = 1_500;

/** Server of the new connections of a listener; replaced in place when its settings change. */
interface Serving extends LiveListener {
  server: ConnectionServer | TcpServer;
  isTrusted: (address: string) => boolean;
  /** Null where connections begin without a PROXY protocol header. */
  proxyHeaders: ProxyHeaderGate | null;
}

export class Downstream {
  readonly #timers: Timers;
  readonly #context: DownstreamContext;
  readonly #fast: Http2Context | null;
  readonly #listeners: ListenerSet;
  readonly #connections: ConnectionTable;
  readonly #sessions: TcpSessions | null;
  /** Monotonic ms of the last log line about a failure to accept. */
  #acceptLoggedMs = Number.NEGATIVE_INFINITY;
  #isDraining = false;
  /** Monotonic ms until which a drain keeps idle connections open. */
  #idleUntilMs = 0;

  constructor(options: DownstreamOptions) {
    const { starter, region, worker, clock, log, openFiles = openFilesLimit() } = options;
    const timers = options.timers ?? systemTimers;
    this.#listeners = new ListenerSet(worker, (snapshot) => this.#serve(snapshot));
    this.#timers = timers;
    this.#sessions = options.sessions ?? null;
    this.#context = {
      starter,
      clock,
      log,
      random: options.random ?? systemRandom,
      sweeper: new Sweeper(clock, timers, options.sweepIntervalMs),
      ledger: new ConnectionLedger(region, worker, clientShareOf(openFiles, region.capacity.workers)),
      tickets: new TicketKeyring(options.ticketSecrets),
      onDemand: new OnDemandCertificates({ clock, timers, request: options.requestCertificate ?? (() => undefined) }),
      isDraining: () => this.#isDraining,
      mayBeIdleUntilMs: (sinceMs) => Math.max(sinceMs + DRAIN_IDLE_MS, this.#idleUntilMs),
    };
    const { ledger } = this.#context;
    this.#connections = new ConnectionTable({ ledger, clock, timers, clients: options.clients ?? null });
    this.#fast = options.fast === undefined ? null : fastContext(this.#context, options.fast, options.isFastPathOn);
  }

  /** Open client connections of this worker. */
  get openConnections(): number {
    return this.#context.ledger.openCount;
  }

  /** Replaces the secrets of session tickets. */
  setTicketSecrets(secrets: TicketSecrets): void {
    this.#context.tickets.set(secrets);
  }

  /** Takes over an answer to a request of a certificate. */
  takeCertificate(offer: CertificateOffer): void {
    this.#context.onDemand.take(offer);
  }

  /** First phase of a reload: binds new listeners, whose connections wait until `apply` or `discard`. @throws ListenError */
  prepare(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors = {}): Promise<BoundListener[]> {
    return this.#listeners.prepare(snapshots, held);
  }

  /** Closes listeners that were prepared and are not to be applied. */
  discard(): Promise<void> {
    return this.#listeners.discard();
  }

  /** Applies the listeners of a Snapshot: see ListenerSet.apply. A draining worker binds none. @throws ListenError */
  apply(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors = {}): Promise<BoundListener[]> {
    return this.#listeners.apply(snapshots, held);
  }

  /**
   * Stops accepting, and closes connections as soon as no request is lost: after the next response, which says so; idle ones
   * after `idleMs`, and not within half a second of their last request, since another one may be in flight. Connections
   * that are open after `graceMs` are reset. Resolves when none is open.
   */
  async drain(graceMs: number, idleMs = 0): Promise<void> {
    this.#isDraining = true;
    this.#idleUntilMs = this.#context.clock.nowMs() + Math.min(idleMs, graceMs - GOODBYE_MS);
    this.#listeners.close();
    this.#connections.startDrain();
    const deadline = this.#timers.after(graceMs, () => this.#cutAll(graceMs));
    await this.#connections.allClosed();
    deadline.cancel();
  }

  #cutAll(graceMs: number): void {
    const sessions = this.#sessions?.openCount ?? 0;
    const connections = this.#connections.destroyAll();
    if (connections === 0) return;
    const open = `${connections} client connection${connections === 1 ? '' : 's'}`;
    const among = sessions === 0 ? '' : `, ${sessions} of them TCP sessions`;
    const message = `${open} reset at the end of the drain: still open after ${graceMs / 1000} s${among}; raise shutdown.grace to give them more time`;
    this.#context.log.warn({ connections, sessions }, message);
  }

  #serve(snapshot: ListenerSnapshot): ListenerService {
    const serving = this.#servingOf(snapshot);
    return {
      accepted: (socket) => this.#accept(serving, socket),
      failed: (error) => this.#acceptFailed(serving, error),
      update: (next) => this.#update(serving, next),
      // A configured descriptor may accept connections to other addresses (TPROXY).
      bound: ({ port }) => (serving.port = snapshot.bind.kind === 'tcp' ? port : 0),
    };
  }

  /** Where only the listener's index or name has changed, its TLS contexts are kept. */
  #update(serving: Serving, snapshot: ListenerSnapshot): void {
    const isSame = settingsText(serving.snapshot) === settingsText(snapshot);
    if (isSame) serving.snapshot = snapshot;
    else Object.assign(serving, this.#servingOf(snapshot), { port: serving.port });
  }

  #servingOf(snapshot: ListenerSnapshot): Serving {
    const identified = (raw: Socket, connection: DrainableConnection): void => this.#identified(raw, connection);
    const isTcp = snapshot.mode === 'tcp' && this.#sessions !== null;
    const server = isTcp
      ? new TcpServer(this.#context, snapshot, this.#sessions, identified)
      : new ConnectionServer(this.#context, snapshot, identified, this.#fast);
    const { proxyProtocol, trustedProxies } = snapshot;
    const proxyHeaders = proxyProtocol === null ? null : new ProxyHeaderGate(this.#context, proxyProtocol);
    return { snapshot, port: 0, server, isTrusted: compileCidrs(trustedProxies), proxyHeaders };
  }

  #accept(serving: Serving, socket: Socket): void {
    socket.on('error', () => undefined);
    const facts = new ConnectionFacts(socket, serving, serving.isTrusted);
    const gate = serving.proxyHeaders;
    if (gate !== null && gate.expects(facts) !== 'none') return this.#acceptBehind(gate, serving, socket, facts);
    if (this.#connections.admit(socket, facts, serving.snapshot)) serving.server.accept(socket, facts);
    else socket.destroy();
  }

  /** Accepts a connection that begins with a PROXY protocol header. The limit on its client applies once that is known. */
  #acceptBehind(gate: ProxyHeaderGate, serving: Serving, socket: Socket, facts: ConnectionFacts): void {
    const { snapshot, server, isTrusted } = serving;
    if (gate.expects(facts) === 'refused') return gate.refusePeer(socket, facts);
    if (!this.#connections.admit(socket, facts, snapshot, '')) return void socket.destroy();
    const reading = gate.read(socket, facts, (header) => {
      facts.takeHeader(header, isTrusted);
      // The sender's own connections, such as its health checks, count for no client.
      if (header.addresses !== null && !this.#connections.nameClient(socket, serving.snapshot)) socket.destroy();
      else {
        this.#connections.identify(socket, null);
        server.accept(socket, facts);
      }
    });
    this.#identified(socket, reading);
  }

  /** Mostly for lack of descriptors. Rate-limited: it fails for every connection in the accept queue. */
  #acceptFailed({ snapshot }: Serving, error: NodeJS.ErrnoException): void {
    const nowMs = this.#context.clock.nowMs();
    if (nowMs - this.#acceptLoggedMs < ACCEPT_LOG_MS) return;
    this.#acceptLoggedMs = nowMs;
    const text = `listener ${snapshot.name} cannot accept connections: ${error.message}`;
    this.#context.log.warn({ listener: snapshot.name, error: error.code }, text);
  }

  #identified(raw: Socket, connection: DrainableConnection): void {
    this.#connections.identify(raw, connection);
    if (this.#isDraining) connection.startDrain();
  }
}

function fastContext(context: DownstreamContext, parts: Http1Parts, isOn = (): boolean => true): Http2Context {
  const { starter, random, ledger, sweeper, log } = context;
  const date = new DateLine(parts.turn);
  const encoder = new ResponseEncoder(date);
  const { isDraining, mayBeIdleUntilMs } = context;
  const draining = { isDraining, mayBeIdleUntilMs };
  const http2 = { frames: new FrameMemory(), blocks: new ResponseBlocks(date), sweeper, log };
  return { ...parts, ...http2, encoder, starter, random, ledger, isOn, ...draining };
}

/** Settings that serving depends on: all but the listener's index and name, which are looked up live. */
function settingsText(snapshot: ListenerSnapshot): string {
  return JSON.stringify({ ...snapshot, index: 0, name: '' });
}
