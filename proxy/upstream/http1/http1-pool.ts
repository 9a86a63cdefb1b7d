// A worker's connections to one endpoint: dials, leases the newest idle one first, bounds the idle ones. Thread: worker.

import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../../../core/snapshot/upstream.ts';
import { type FailureKind, failureOf } from '../../../core/failure.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import { Dialler, type DialResult, endpointTarget } from '../../../net/dial.ts';
import { failureOfDial } from '../../../net/failure-of-error.ts';
import { reportTlsFault } from '../fault-log.ts';
import { type IdleClose, IdleDeaths } from '../idle-deaths.ts';
import type { ConnectionPool } from '../pool-table.ts';
import { type ProxyPreface, prefaceOf } from '../proxy-preface.ts';
import { configuredKeepAliveMs } from '../response-persistence.ts';
import { responseScanner } from '../response-reader.ts';
import type { TransportParts } from '../transport-parts.ts';
import { type ConnectionOwner, type ConnectionParts, EndpointConnection } from './endpoint-connection.ts';
import type { Http1Attempt } from './http1-attempt.ts';

export class Http1Pool implements ConnectionOwner, ConnectionPool {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSettings;
  readonly parts: ConnectionParts;
  readonly scanner: HeadScanner;
  readonly keepAliveMs: number;
  readonly #context: TransportParts;
  readonly dialler: Dialler;
  readonly #preface: ProxyPreface | null;
  readonly #deaths: IdleDeaths;
  readonly #isTls: boolean;
  readonly #doubles: Float64Array;
  readonly #lane: number;
  readonly #connections = new Set<EndpointConnection>();
  readonly #dialling = new Set<Http1Attempt>();
  /** Newest last. */
  readonly #idle: EndpointConnection[] = [];
  /** Free, but within the delay before reuse. Newest last. */
  readonly #recent: EndpointConnection[] = [];
  readonly #onEmpty: (() => void)[] = [];
  #isRetired = false;

  constructor(
    endpoint: EndpointSnapshot,
    upstream: UpstreamSettings,
    parts: ConnectionParts,
    context: TransportParts,
    dialler = new Dialler(endpointTarget(endpoint, upstream), context.timers),
  ) {
    this.endpoint = endpoint;
    this.upstream = upstream;
    this.parts = parts;
    this.scanner = responseScanner(upstream.responseHeadBytes);
    this.keepAliveMs = configuredKeepAliveMs(upstream.timeouts.keepAliveMs);
    this.#context = context;
    this.#deaths = new IdleDeaths(() => context.onIdleDeath(upstream, endpoint));
    this.dialler = dialler;
    this.#preface = prefaceOf(upstream, 'http/1.1');
    this.#isTls = endpoint.protocol === 'https';
    this.#doubles = context.region.doubles;
    this.#lane = context.region.endpointLane(context.worker, endpoint.slot);
  }

  count(field: number, amount: number): void {
    this.#doubles[this.#lane + field]! += amount;
  }

  /** Begins an attempt on a free connection, or dials a new one. */
  lease(attempt: Http1Attempt): void {
    const free = attempt.request.mustUseFresh ? null : this.#takeFree(attempt);
    if (free === null) this.#dial(attempt);
    else this.#begin(free, attempt);
  }

  /**
   * A repeatable request gets the newest connection: that keeps the number in use small, and a stale one costs a retry.
   * Other requests get one whose delay before reuse has passed, or, from the scanned client side, the oldest recent one.
   */
  #takeFree(attempt: Http1Attempt): EndpointConnection | null {
    const newest = attempt.isRepeatable ? this.#recent.pop() : undefined;
    if (newest !== undefined) return newest;
    const idle = this.#idle.pop();
    if (idle === undefined) return attempt.isImmediate ? (this.#recent.shift() ?? null) : null;
    this.count(ENDPOINT_FIELD.connectionsIdle, -1);
    return idle;
  }

  #begin(connection: EndpointConnection, attempt: Http1Attempt): void {
    const { turn } = this.parts;
    turn.begin();
    connection.begin(attempt);
    turn.end();
  }

  #dial(attempt: Http1Attempt): void {
    const connection = new EndpointConnection(this);
    this.#dialling.add(attempt);
    const preface = this.#preface === null ? null : this.#preface.headerFor(attempt.request.origin);
    const dialled: DialResult = (error, socket, times) => {
      this.#dialling.delete(attempt);
      attempt.dialling = null;
      if (socket === null) {
        attempt.events.onDialled?.(times);
        reportTlsFault(this, error);
        attempt.fail(failureOfDial(error));
      } else {
        this.#connections.add(connection);
        connection.socket.open(socket, this.#isTls);
        attempt.events.onDialled?.(times);
        this.#begin(connection, attempt);
      }
      this.#reportIfEmpty();
    };
    const dialling = this.dialler.dial(dialled, connection.socket.onread, preface);
    attempt.dialling = {
      abort: () => {
        this.#dialling.delete(attempt);
        dialling.abort();
        this.#reportIfEmpty();
      },
    };
  }

  onFree(connection: EndpointConnection): void {
    if (this.#isRetired) connection.destroy();
    else this.#recent.push(connection);
  }

  onIdle(connection: EndpointConnection): void {
    remove(this.#recent, connection);
    this.#idle.push(connection);
    this.count(ENDPOINT_FIELD.connectionsIdle, 1);
    if (this.#idle.length > this.upstream.limits.maxIdle) this.#idle[0]!.destroy();
  }

  onLost(connection: EndpointConnection): void {
    if (remove(this.#idle, connection)) this.count(ENDPOINT_FIELD.connectionsIdle, -1);
    else remove(this.#recent, connection);
  }

  onIdleClose(close: IdleClose): void {
    this.#deaths.closed(close, this.parts.turn.nowMs());
  }

  onFault(kind: FailureKind, reason: string): void {
    this.#context.onFault(this.endpoint, kind, reason);
  }

  onClosed(connection: EndpointConnection): void {
    this.#connections.delete(connection);
    this.#reportIfEmpty();
  }

  dropIdle(): void {
    // Destroying a connection removes it from the list.
    while (this.#idle.length > 0) this.#idle[0]!.destroy();
    while (this.#recent.length > 0) this.#recent[0]!.destroy();
  }

  retire(onEmpty: () => void): void {
    this.#isRetired = true;
    this.dropIdle();
    this.#onEmpty.push(onEmpty);
    this.#reportIfEmpty();
  }

  close(): Promise<void> {
    for (const attempt of this.#dialling) {
      attempt.dialling?.abort();
      attempt.fail(failureOf('cancelled', false));
    }
    for (const connection of this.#connections) connection.cancel();
    return new Promise((resolve) => this.retire(resolve));
  }

  #reportIfEmpty(): void {
    if (!this.#isRetired || this.#connections.size > 0 || this.#dialling.size > 0) return;
    for (const onEmpty of this.#onEmpty.splice(0)) onEmpty();
  }
}

/** @returns whether the list had it */
function remove(list: EndpointConnection[], connection: EndpointConnection): boolean {
  const index = list.indexOf(connection);
  if (index < 0) return false;
  if (index === 0) list.shift();
  else list.splice(index, 1);
  return true;
}
