// A worker's fast connections to one endpoint: which are idle, newest first, and how many may be. Thread: worker.

import type { Region } from '../../../core/memory/region.ts';
import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { Timers } from '../../../core/timers.ts';
import { failureOf } from '../../../core/failure.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import { Dialler } from '../../../net/dial.ts';
import { IdleDeaths, type OnIdleDeath } from '../idle-deaths.ts';
import { responseScanner } from '../undici/response-gate.ts';
import type { ConnectionParts } from './connection-parts.ts';
import { type ConnectionOwner, EndpointConnection } from './endpoint-connection.ts';
import type { Http1Attempt } from './http1-attempt.ts';
import { keepAliveMsFor } from './response-persistence.ts';

/** Where a pool counts, and what it dials with. */
export interface PoolContext {
  readonly region: Region;
  readonly worker: number;
  readonly timers: Timers;
  readonly onIdleDeath: OnIdleDeath;
}

export class Http1Pool implements ConnectionOwner {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  readonly parts: ConnectionParts;
  readonly scanner: HeadScanner;
  readonly keepAliveMs: number;
  readonly #dialler: Dialler;
  readonly #deaths: IdleDeaths;
  readonly #isTls: boolean;
  readonly #doubles: Float64Array;
  readonly #lane: number;
  readonly #connections = new Set<EndpointConnection>();
  readonly #dialling = new Set<Http1Attempt>();
  /** The newest last. */
  readonly #idle: EndpointConnection[] = [];
  /** Free, but not for long. The newest last. */
  readonly #resting: EndpointConnection[] = [];
  readonly #onEmpty: (() => void)[] = [];
  #isRetired = false;

  constructor(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot, parts: ConnectionParts, context: PoolContext) {
    this.endpoint = endpoint;
    this.upstream = upstream;
    this.parts = parts;
    this.scanner = responseScanner(upstream.responseHeadBytes);
    this.keepAliveMs = keepAliveMsFor(upstream.timeouts.keepAliveMs);
    this.#deaths = new IdleDeaths(() => context.onIdleDeath(upstream, endpoint));
    this.#dialler = new Dialler(endpoint, upstream, context.timers);
    this.#isTls = endpoint.protocol === 'https';
    this.#doubles = context.region.doubles;
    this.#lane = context.region.endpointLane(context.worker, endpoint.slot);
  }

  count(field: number, amount: number): void {
    this.#doubles[this.#lane + field]! += amount;
  }

  /** Begins an attempt on a free connection, or on one that is made for it. */
  lease(attempt: Http1Attempt): void {
    const free = attempt.request.mustUseFresh ? null : this.#takeFree(attempt);
    if (free === null) this.#dial(attempt);
    else this.#begin(free, attempt);
  }

  /**
   * The newest one for what may be repeated: few connections are in use then, and one that turns out stale costs a retry.
   * What may not be repeated gets one that has rested. Client sides that aren't pressed never get another.
   */
  #takeFree(attempt: Http1Attempt): EndpointConnection | null {
    const newest = attempt.isRepeatable ? this.#resting.pop() : undefined;
    if (newest !== undefined) return newest;
    const idle = this.#idle.pop();
    if (idle === undefined) return attempt.isImmediate ? (this.#resting.shift() ?? null) : null;
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
    const dialling = this.#dialler.dial((error, socket) => {
      this.#dialling.delete(attempt);
      attempt.dialling = null;
      if (socket === null) attempt.fail(failureOf(error?.kind ?? 'internal', false, error));
      else {
        this.#connections.add(connection);
        connection.open(socket, this.#isTls);
        this.#begin(connection, attempt);
      }
      this.#tellIfEmpty();
    }, connection.onread);
    attempt.dialling = {
      abort: () => {
        this.#dialling.delete(attempt);
        dialling.abort();
        this.#tellIfEmpty();
      },
    };
  }

  onFree(connection: EndpointConnection): void {
    if (this.#isRetired) connection.destroy();
    else this.#resting.push(connection);
  }

  onIdle(connection: EndpointConnection): void {
    remove(this.#resting, connection);
    this.#idle.push(connection);
    this.count(ENDPOINT_FIELD.connectionsIdle, 1);
    if (this.#idle.length > this.upstream.limits.maxIdle) this.#idle[0]!.destroy();
  }

  onLost(connection: EndpointConnection): void {
    if (remove(this.#idle, connection)) this.count(ENDPOINT_FIELD.connectionsIdle, -1);
    else remove(this.#resting, connection);
  }

  onIdleDeath(): void {
    this.#deaths.died(this.#idle.length + this.#resting.length, this.parts.turn.nowMs());
  }

  onClosed(connection: EndpointConnection): void {
    this.#connections.delete(connection);
    this.#tellIfEmpty();
  }

  dropIdle(): void {
    // Destroying a connection takes it out of the list.
    while (this.#idle.length > 0) this.#idle[0]!.destroy();
    while (this.#resting.length > 0) this.#resting[0]!.destroy();
  }

  /** Closes idle connections now and every other one when its attempt is over. @param onEmpty when none is left */
  retire(onEmpty: () => void): void {
    this.#isRetired = true;
    this.dropIdle();
    this.#onEmpty.push(onEmpty);
    this.#tellIfEmpty();
  }

  /** Ends all connections, those in use too. */
  close(): Promise<void> {
    for (const attempt of this.#dialling) {
      attempt.dialling?.abort();
      attempt.fail(failureOf('cancelled', false));
    }
    for (const connection of this.#connections) connection.cancel();
    return new Promise((resolve) => this.retire(resolve));
  }

  #tellIfEmpty(): void {
    if (!this.#isRetired || this.#connections.size > 0 || this.#dialling.size > 0) return;
    for (const tell of this.#onEmpty.splice(0)) tell();
  }
}

/** Whether it was there. */
function remove(list: EndpointConnection[], connection: EndpointConnection): boolean {
  const index = list.indexOf(connection);
  if (index < 0) return false;
  if (index === 0) list.shift();
  else list.splice(index, 1);
  return true;
}
