// The TCP sessions of a worker: route, place, dial, relay, record. Placement is that of HTTP requests; a session is tried at
// another endpoint only while no connection was made, so that no byte is sent twice. Thread: worker.

import type { EndpointError } from '../../../net/endpoint-error.ts';
import { failureOf } from '../../../core/failure.ts';
import { failureOfError } from '../../../net/failure-of-error.ts';
import { resetSocket } from '../../../net/reset-socket.ts';
import type { Socket } from 'node:net';
import { ENDPOINT_FIELD, LISTENER_FIELD } from '../../../core/memory/lane-fields.ts';
import type { MessageToMain } from '../../../core/messages.ts';
import type { Termination } from '../../../core/termination.ts';
import { countAttempt } from '../../account/account.ts';
import { RequestIds } from '../../exchange/request-id.ts';
import { FailureSources } from '../../placement/failure-sources.ts';
import type { Place } from '../../placement/place.ts';
import { type NoPlace, Placer, type PlacerEvents } from '../../placement/placer.ts';
import { NO_RETRY } from '../../placement/retries.ts';
import { retryBegan } from '../../placement/retry-budget.ts';
import { Relay, type SideName } from '../../upstream/tcp/relay.ts';
import { type DialResult, Dialler, endpointTarget } from '../../../net/dial.ts';
import { prefaceOf } from '../../upstream/proxy-preface.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { refuseHandshake } from '../accept/handshake-refusal.ts';
import type { SessionFacts, TcpRouter } from '../../routing/tcp-router.ts';
import { allows } from './session-access.ts';
import type { SessionContext, SessionParts } from './session-context.ts';
import { ACCEPTED_MS, countOpen, endAttempt, endRetry, judgeFailure, judgeGood } from './session-outcome.ts';
import { sessionRecord } from './session-record.ts';
import { SessionReloads } from './session-reloads.ts';
import { SESSION_STATE } from './session-state.ts';
import { type SessionHooks, TcpSession } from './tcp-session.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { Timers } from '../../../core/timers.ts';

/** Sessions have neither a target nor fields that a balancer could hash. */
const NOTHING_TO_HASH = { target: '', field: () => undefined };

export class TcpSessions implements SessionHooks, PlacerEvents<TcpSession> {
  readonly #context: SessionContext;
  readonly #diallers: SessionDiallers;
  readonly #ids = new RequestIds();
  readonly #open = new Set<TcpSession>();
  readonly #reloads: SessionReloads;

  constructor(parts: SessionParts) {
    const { region, clock, post } = parts;
    const signals = {
      region,
      sources: new FailureSources(),
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      post: (message: MessageToMain) => post(message),
    };
    this.#context = { ...parts, signals, placer: new Placer<TcpSession>(parts, this) };
    this.#diallers = new SessionDiallers(parts.timers);
    this.#reloads = new SessionReloads(parts, this.#open, (session) => this.cut(session, 'drainedSession'));
  }

  /** Begins the session of an accepted connection. @param hasHello see SessionStart */
  begin(client: ClientSocket, hasHello: boolean): TcpSession {
    const { clock } = this.#context;
    const start = { client, hasHello, id: this.#ids.next(), nowMs: clock.nowMs(), wallMs: clock.wallMs() };
    const session = new TcpSession(start, this);
    this.#open.add(session);
    this.#route(session);
    return session;
  }

  /** Sessions that have not ended. */
  get openCount(): number {
    return this.#open.size;
  }

  /** A Snapshot was installed: sessions of removed endpoints end after the drain time of the reload. */
  reloaded(): void {
    this.#reloads.reloaded();
  }

  /** Endpoints changed without a reload: sessions of removed ones end after its drain time. */
  amend(...change: Parameters<SessionReloads['amend']>): void {
    this.#reloads.amend(...change);
  }

  /** A slot has another endpoint: nothing learned of the one before may judge it. */
  forgetSlot(slot: number): void {
    this.#context.signals.sources.forget(slot);
  }

  /** An endpoint is down, ejected or in maintenance. */
  endpointOut(slot: number): void {
    const { upstreams } = this.#context.runtime();
    for (const session of this.#open) {
      if (session.state !== SESSION_STATE.relaying || session.attempt?.endpoint.slot !== slot) continue;
      const { snapshot } = session.target!;
      const { onDown } = upstreams.get(snapshot.index)?.snapshot ?? snapshot;
      if (onDown === 'close') this.cut(session, 'endpointDown');
    }
  }

  /** Another worker has freed a place. */
  onWake(): void {
    this.#context.placer.wake();
  }

  // ---- 1. route

  #route(session: TcpSession): void {
    const { clock, log, placer, runtime: newest } = this.#context;
    const { connection, clientAddress, placement } = session;
    const runtime = newest();
    const policies = runtime.listener(connection.listenerIndex)?.policies ?? [];
    session.routedMs = clock.nowMs();
    if (!allows(policies, clientAddress)) return this.cut(session, 'policyRefused');
    const { listenerName } = connection;
    const facts = { listenerName, clientAddress, serverName: session.serverName, protocols: session.protocols };
    session.route = runtime.tcpRouter.find(facts);
    if (session.route === null) return this.#unrouted(session, runtime.tcpRouter, facts);
    session.target = runtime.targetOf(session.route);
    if (log.isDebugEnabled) log.debug({ session: session.id, route: session.routeName }, 'TCP session routed');
    if (!allows(session.route.policies, clientAddress)) return this.cut(session, 'policyRefused');
    session.target!.hashKey?.(NOTHING_TO_HASH, clientAddress, placement);
    placer.place(session);
  }

  /** A TLS client gets an alert that says why. */
  #unrouted(session: TcpSession, router: TcpRouter, facts: SessionFacts): void {
    if (!session.hasHello) return this.cut(session, 'noRoute');
    this.#end(session, 'noRoute');
    const alert = router.lacksProtocol(facts) ? 'no_application_protocol' : 'unrecognized_name';
    refuseHandshake(session.client.raw, alert);
  }

  // ---- 2. place: see proxy/placement/placer.ts

  placed(session: TcpSession, place: Place): void {
    const { clock, lanes, region, worker } = this.#context;
    const { picker, snapshot } = session.target!;
    const endpoint = picker.endpointAt(place.slot)!;
    const isRetry = session.placement.attempts > 1;
    session.attempt = { endpoint, beganMs: clock.nowMs(), isTrial: place.isTrial, isJudged: false, isOver: false };
    session.firstEndpoint ??= endpoint;
    session.isRetrying = isRetry;
    if (isRetry) retryBegan(region, worker, snapshot.index);
    countAttempt(lanes.endpoint(place.slot), isRetry);
    session.enter(SESSION_STATE.dialling);
    const dialler = this.#diallers.diallerOf(endpoint, snapshot);
    const dialled: DialResult = (error, socket) => {
      session.dialling = null;
      if (socket === null) this.#failed(session, error!);
      else this.#connected(session, socket);
    };
    const preface = prefaceOf(snapshot, session.connection.alpn ?? '')?.headerFor(session) ?? null;
    session.dialling = dialler.dial(dialled, undefined, preface);
  }

  queued(session: TcpSession): void {
    session.enter(SESSION_STATE.waiting);
  }

  backsOff(session: TcpSession): void {
    session.enter(SESSION_STATE.waiting);
  }

  unplaced(session: TcpSession, reason: NoPlace): void {
    if (reason === 'queue-full') this.cut(session, 'queueFull');
    else if (reason === 'queue-timeout') this.cut(session, 'queueTimeout');
    else this.cut(session, session.lastFailure === null ? 'noEndpoint' : terminationOf(session));
  }

  // ---- 3. dial

  #failed(session: TcpSession, error: EndpointError): void {
    const facts = { wasSent: false, isReused: false, hasReceived: false, hasHead: false };
    const failure = failureOfError(error, facts);
    judgeFailure(this.#context, session, failure);
    endAttempt(this.#context, session);
    if (failure.isLasting) this.#context.placer.markUnfit(session, session.attempt!.endpoint.slot);
    const backoffMs = this.#context.placer.backoffAfter(session, failure.kind, false);
    if (backoffMs === NO_RETRY) this.cut(session, terminationOf(session));
    else this.#context.placer.retryAfter(session, backoffMs);
  }

  #connected(session: TcpSession, socket: Socket): void {
    const { clock, placer, timers } = this.#context;
    session.connectedMs = clock.nowMs();
    session.activeMs = session.connectedMs;
    endRetry(this.#context, session);
    countOpen(this.#context, session, 1);
    socket.once('close', () => countOpen(this.#context, session, -1));
    const held = session.takeHeld();
    session.enter(SESSION_STATE.relaying);
    placer.connected(session.target!);
    const endpoint = { stream: socket, reset: () => resetSocket(socket) };
    const events = {
      onBytes: (from: SideName, sizeBytes: number) => this.#moved(session, from, sizeBytes),
      onClosed: (lost: SideName | null, endedFirst: SideName) => this.#closed(session, lost, endedFirst),
    };
    session.relay = new Relay(session.client, endpoint, events, timers);
    this.#armTimer(session, session.connectedMs);
    session.relay.start(held, session.hasClientEnded);
  }

  // ---- 4. relay

  #moved(session: TcpSession, from: SideName, sizeBytes: number): void {
    const { clock, lanes } = this.#context;
    const endpoint = lanes.endpoint(session.attempt!.endpoint.slot);
    const listener = lanes.listener(session.connection.listenerIndex);
    session.activeMs = clock.nowMs();
    if (from === 'client') {
      session.bytesFromClient += sizeBytes;
      endpoint.add(ENDPOINT_FIELD.bytesSent, sizeBytes);
      listener.add(LISTENER_FIELD.bytesReceived, sizeBytes);
      return;
    }
    session.bytesFromEndpoint += sizeBytes;
    endpoint.add(ENDPOINT_FIELD.bytesReceived, sizeBytes);
    listener.add(LISTENER_FIELD.bytesSent, sizeBytes);
    if (session.firstByteMs !== 0) return;
    session.firstByteMs = session.activeMs;
    judgeGood(this.#context, session);
  }

  timerFired(session: TcpSession): void {
    if (session.state === SESSION_STATE.waiting) return this.#context.placer.timerFired(session);
    const nowMs = this.#context.clock.nowMs();
    const { tunnelMs } = session.target!.snapshot.timeouts;
    if (tunnelMs > 0 && nowMs - session.activeMs >= tunnelMs) return this.cut(session, 'sessionIdle');
    if (nowMs - session.connectedMs >= ACCEPTED_MS) judgeGood(this.#context, session);
    this.#armTimer(session, nowMs);
  }

  /** One timer, checked against the last byte, instead of being moved at each. */
  #armTimer(session: TcpSession, nowMs: number): void {
    const { tunnelMs } = session.target!.snapshot.timeouts;
    const idleMs = tunnelMs === 0 ? Number.POSITIVE_INFINITY : session.activeMs + tunnelMs - nowMs;
    const judgeMs = session.attempt!.isJudged ? Number.POSITIVE_INFINITY : session.connectedMs + ACCEPTED_MS - nowMs;
    const delayMs = Math.min(idleMs, judgeMs);
    if (delayMs !== Number.POSITIVE_INFINITY) this.#context.wheel.arm(session.timer, Math.max(1, delayMs), nowMs);
  }

  // ---- 5. the end

  #closed(session: TcpSession, lost: SideName | null, endedFirst: SideName): void {
    // An endpoint that ends the connection without a byte may be one that is full, or a forwarder to one that is down.
    if (lost === 'endpoint') judgeFailure(this.#context, session, failureOf('reset', true));
    else if (lost === 'client' || endedFirst === 'client') judgeGood(this.#context, session);
    this.#end(session, lost === null ? 'ok' : lost === 'client' ? 'clientGoneData' : 'endpointGoneData');
  }

  clientGone(session: TcpSession): void {
    const { state } = session;
    const isDialling = state === SESSION_STATE.dialling;
    this.#end(session, isDialling ? 'clientGoneConnect' : 'clientGoneQueue');
  }

  /** Ends a session now: both connections with a reset. */
  cut(session: TcpSession, termination: Termination): void {
    if (session.isOver) return;
    const { client, relay } = session;
    this.#end(session, termination);
    if (relay === null) client.reset();
    else relay.destroy();
  }

  #end(session: TcpSession, termination: Termination): void {
    const { clock, log, observers, placer, wheel } = this.#context;
    placer.cancel(session);
    wheel.cancel(session.timer);
    session.dialling?.abort();
    if (session.attempt?.isOver === false) endAttempt(this.#context, session);
    session.enter(SESSION_STATE.over);
    this.#open.delete(session);
    const record = sessionRecord(session, termination, clock.nowMs(), this.#context);
    for (const observer of observers) observer.exchangeEnded(record);
    if (log.isDebugEnabled) log.debug({ session: session.id, termination }, `TCP session ended: ${termination}`);
  }
}

/** The termination by the failure of the last attempt. */
function terminationOf({ lastFailure }: TcpSession): Termination {
  if (lastFailure?.kind === 'connect-timeout') return 'connectTimeout';
  return lastFailure?.kind === 'internal' ? 'internal' : 'connectFailed';
}

class SessionDiallers {
  readonly #timers: Timers;
  /** Weak, so that TLS contexts and sessions live as long as their endpoint's Snapshot. */
  readonly #diallers = new WeakMap<EndpointSnapshot, Dialler>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  diallerOf(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): Dialler {
    let dialler = this.#diallers.get(endpoint);
    if (dialler === undefined) {
      const target = { ...endpointTarget(endpoint, upstream, []), allowHalfOpen: true };
      dialler = new Dialler(target, this.#timers);
      this.#diallers.set(endpoint, dialler);
    }
    return dialler;
  }
}
