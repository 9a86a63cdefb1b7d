// A worker's HTTP/2 connections to one endpoint: leases streams, dials another connection when all are full. Thread: worker.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Failure, type FailureKind, failureOf } from '../../../core/failure.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../../../core/snapshot/upstream.ts';
import { Dialler, type Dialling, type DialResult, endpointTarget } from '../../../net/dial.ts';
import { failureOfDial } from '../../../net/failure-of-error.ts';
import { reportTlsFault } from '../fault-log.ts';
import { type IdleClose, IdleDeaths } from '../idle-deaths.ts';
import type { ConnectionPool } from '../pool-table.ts';
import { type ProxyPreface, prefaceOf } from '../proxy-preface.ts';
import { configuredKeepAliveMs } from '../response-persistence.ts';
import type { TransportParts } from '../transport-parts.ts';
import type { Http2Attempt, WaitingRoom } from './http2-attempt.ts';
import { type ConnectionOwner, Http2Connection } from './http2-connection.ts';
import type { Http2Parts } from './http2-parts.ts';

/** Streams that a new connection is expected to take, until the endpoint has sent its limit. */
const EXPECTED_STREAMS = 100;
/** Where connecting has no timeout of its own. */
const REPLY_MS = 10_000;
/** A connection is replaced after this, so that load follows endpoints and addresses that joined behind one name. */
const MAX_AGE_MS = 30 * 60_000;
/** Connections that were made together are replaced one after the other: each lives a thirtieth less than the one before. */
const AGE_STEPS = 10;

/** With `auto`, an endpoint that chose HTTP/1.1 is asked again after this: one handshake per worker. */
const HTTP1_KNOWN_MS = 60_000;

/** The endpoint chose HTTP/1.1 where it had the choice. */
export class Http1Chosen extends Error {}
/** The endpoint has not offered extended CONNECT (RFC 8441). */
export class TunnelsNotOffered extends Error {}
const TUNNELS_NOT_OFFERED = new TunnelsNotOffered(
  'no extended CONNECT (RFC 8441) for WebSockets: set protocol: auto or http1',
);
const HTTP1_CHOSEN = new Http1Chosen('the endpoint chose HTTP/1.1 by ALPN');

export class Http2Pool implements ConnectionOwner, ConnectionPool, WaitingRoom {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSettings;
  readonly parts: Http2Parts;
  readonly responseHeadBytes: number;
  readonly keepAliveMs: number;
  readonly replyMs: number;
  readonly #context: TransportParts;
  readonly dialler: Dialler;
  readonly #preface: ProxyPreface | null;
  readonly #deaths: IdleDeaths;
  readonly #isTls: boolean;
  readonly #doubles: Float64Array;
  readonly #lane: number;
  /** All with a socket, and those that take streams. */
  readonly #connections = new Set<Http2Connection>();
  readonly #usable: Http2Connection[] = [];
  /** Attempts without a connection, oldest first. */
  readonly #waiting = new Set<Http2Attempt>();
  readonly #dials = new Set<Dialling>();
  /** Connected, and waiting for SETTINGS. */
  readonly #starting = new Set<Http2Connection>();
  readonly #onEmpty: (() => void)[] = [];
  #expectedStreams = EXPECTED_STREAMS;
  #made = 0;
  /** With `auto`: until when the endpoint is known to choose HTTP/1.1. */
  #http1UntilMs = 0;
  #isRetired = false;

  constructor(
    endpoint: EndpointSnapshot,
    upstream: UpstreamSettings,
    parts: Http2Parts,
    context: TransportParts,
    dialler = new Dialler(endpointTarget(endpoint, upstream, protocolsOf(upstream)), context.timers),
  ) {
    this.endpoint = endpoint;
    this.upstream = upstream;
    this.parts = parts;
    this.responseHeadBytes = upstream.responseHeadBytes;
    this.keepAliveMs = configuredKeepAliveMs(upstream.timeouts.keepAliveMs);
    this.replyMs = upstream.timeouts.connectMs || REPLY_MS;
    this.#context = context;
    this.#deaths = new IdleDeaths(() => context.onIdleDeath(upstream, endpoint));
    this.dialler = dialler;
    this.#preface = prefaceOf(upstream, upstream.protocol === 'auto' ? '' : 'h2');
    this.#isTls = endpoint.protocol === 'https';
    this.#doubles = context.region.doubles;
    this.#lane = context.region.endpointLane(context.worker, endpoint.slot);
  }

  get ageMs(): number {
    this.#made += 1;
    return MAX_AGE_MS * (1 - (this.#made % AGE_STEPS) / (3 * AGE_STEPS));
  }

  count(field: number, amount: number): void {
    this.#doubles[this.#lane + field]! += amount;
  }

  /** Begins an attempt on the connection with the fewest streams, or waits for a new one. */
  lease(attempt: Http2Attempt): void {
    if (this.#http1UntilMs > this.parts.turn.nowMs()) return attempt.fail(failureOf('tls-failed', false, HTTP1_CHOSEN));
    const connection = attempt.request.mustUseFresh ? null : this.#leastBusy();
    if (connection !== null) return this.#begin(connection, attempt);
    attempt.waiting = this;
    this.#waiting.add(attempt);
    this.#dialAsNeeded();
  }

  /** The exchange has cancelled a waiting attempt. */
  leave(attempt: Http2Attempt): void {
    this.#waiting.delete(attempt);
    if (this.#waiting.size > 0) return;
    for (const dialling of this.#dials) dialling.abort();
    this.#dials.clear();
    this.#reportIfEmpty();
  }

  #leastBusy(): Http2Connection | null {
    let best: Http2Connection | null = null;
    for (const connection of this.#usable) {
      if (connection.hasRoom && (best === null || connection.streamCount < best.streamCount)) best = connection;
    }
    return best;
  }

  #begin(connection: Http2Connection, attempt: Http2Attempt): void {
    if (attempt.isTunnel && !connection.input.peer.enablesConnectProtocol) {
      return attempt.fail(failureOf('upgrade-unsupported', false, TUNNELS_NOT_OFFERED));
    }
    connection.inTurn(() => connection.begin(attempt));
  }

  // ---- new connections

  #dialAsNeeded(): void {
    // The endpoint takes no streams for now, and sends SETTINGS when it does: another connection would get the same answer.
    if (this.#usable.some(({ streamLimit }) => streamLimit === 0)) return;
    const coming = (this.#dials.size + this.#starting.size) * this.#expectedStreams;
    if (coming < this.#waiting.size) this.#dial();
  }

  #dial(): void {
    const connection = new Http2Connection(this);
    // All that wait are requests of one client where there is a preface.
    const [waiting] = this.#waiting;
    const preface = this.#preface === null ? null : this.#preface.headerFor(waiting!.request.origin);
    const dialled: DialResult = (error, socket, times) => {
      this.#dials.delete(dialling);
      for (const attempt of this.#waiting) attempt.events.onDialled?.(times);
      if (socket === null) {
        reportTlsFault(this, error);
        this.#failWaiting(failureOfDial(error));
      } else this.#opened(connection, socket);
      this.#reportIfEmpty();
    };
    const dialling = this.dialler.dial(dialled, connection.socket.onread, preface);
    this.#dials.add(dialling);
  }

  #opened(connection: Http2Connection, socket: Socket): void {
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') return this.#refuseHttp1(socket);
    this.#http1UntilMs = 0;
    this.#connections.add(connection);
    this.#starting.add(connection);
    connection.open(socket, this.#isTls);
  }

  /** The endpoint has not chosen HTTP/2 by ALPN. With `auto`, its requests go over HTTP/1.1 from now on. */
  #refuseHttp1(socket: Socket): void {
    socket.on('error', ignore);
    socket.destroy();
    if (this.upstream.protocol === 'auto') {
      this.#http1UntilMs = this.parts.turn.nowMs() + HTTP1_KNOWN_MS;
      return this.#failWaiting(failureOf('tls-failed', false, HTTP1_CHOSEN));
    }
    const reason = 'no HTTP/2 over TLS (ALPN h2): remove protocol: http2';
    this.onFault('tls-failed', reason);
    this.#failWaiting(failureOf('tls-failed', false, new Error(reason), true));
  }

  /** A new connection has failed. Where others are being made, those decide. */
  #failWaiting(failure: Failure): void {
    if (this.#dials.size + this.#starting.size > 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const attempt of waiting) attempt.fail(failure);
  }

  // ---- ConnectionOwner

  onRoom(connection: Http2Connection): void {
    if (this.#starting.delete(connection)) {
      this.#usable.push(connection);
      this.#expectedStreams = Math.max(1, connection.streamLimit);
    }
    for (const attempt of this.#waiting) {
      if (!connection.hasRoom) break;
      this.#waiting.delete(attempt);
      this.#begin(connection, attempt);
    }
    if (this.#isRetired) connection.drain();
    else this.#trimIdle();
    if (this.#waiting.size > 0) this.#dialAsNeeded();
  }

  onUnusable(connection: Http2Connection, failure: Failure | null): void {
    this.#starting.delete(connection);
    const index = this.#usable.indexOf(connection);
    if (index >= 0) this.#usable.splice(index, 1);
    if (failure !== null) this.#failWaiting(failure);
    else if (this.#waiting.size > 0) this.#dialAsNeeded();
  }

  onIdleClose(close: IdleClose): void {
    this.#deaths.closed(close, this.parts.turn.nowMs());
  }

  onFault(kind: FailureKind, reason: string): void {
    this.#context.onFault(this.endpoint, kind, reason);
  }

  onClosed(connection: Http2Connection): void {
    this.#connections.delete(connection);
    this.#reportIfEmpty();
  }

  #trimIdle(): void {
    const { maxIdle } = this.upstream.limits;
    if (this.#usable.length <= maxIdle) return;
    const idle = this.#usable.filter((connection) => connection.isIdle);
    for (const connection of idle.slice(0, Math.max(0, idle.length - maxIdle))) connection.drain();
  }

  // ---- ConnectionPool

  /** The endpoint is down: busy connections finish what they have, and take nothing more. */
  dropIdle(): void {
    this.#http1UntilMs = 0;
    // Draining removes a connection from the list.
    for (const connection of this.#usable.slice()) connection.drain();
  }

  retire(onEmpty: () => void): void {
    this.#isRetired = true;
    this.dropIdle();
    this.#onEmpty.push(onEmpty);
    this.#reportIfEmpty();
  }

  close(): Promise<void> {
    for (const dialling of this.#dials) dialling.abort();
    this.#dials.clear();
    for (const connection of Array.from(this.#connections)) connection.cancel();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const attempt of waiting) attempt.fail(failureOf('cancelled', false));
    return new Promise((resolve) => this.retire(resolve));
  }

  #reportIfEmpty(): void {
    if (!this.#isRetired || this.#connections.size + this.#dials.size + this.#waiting.size > 0) return;
    for (const onEmpty of this.#onEmpty.splice(0)) onEmpty();
  }
}

/** Offered by ALPN. */
function protocolsOf({ protocol }: UpstreamSettings): readonly string[] {
  return protocol === 'auto' ? ['h2', 'http/1.1'] : ['h2'];
}

function ignore(): void {
  // 'close' follows.
}
