// A worker's undici connections to one endpoint, each a Client of its own, so that the pool knows which connection
// serves an attempt and whether it has served one before. Leases the newest idle one first. Thread: worker.

import type { AttemptRequest } from '../../../core/exchange-contract.ts';
import type { FailureKind } from '../../../core/failure.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../../../core/snapshot/upstream.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import { Dialler, endpointTarget } from '../../../net/dial.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import { type IdleClose, IdleDeaths } from '../idle-deaths.ts';
import type { ConnectionPool } from '../pool-table.ts';
import { type ProxyPreface, prefaceOf } from '../proxy-preface.ts';
import { responseScanner } from '../response-reader.ts';
import type { TransportParts } from '../transport-parts.ts';
import { PooledConnection, type ConnectionOwner } from './pooled-connection.ts';

export class EndpointPool implements ConnectionOwner, ConnectionPool {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSettings;
  readonly lane: EndpointLane;
  readonly scanner: HeadScanner;
  readonly dialler: Dialler;
  readonly #preface: ProxyPreface | null;
  readonly onFault: (kind: FailureKind, reason: string) => void;
  readonly #deaths: IdleDeaths;
  readonly #connections = new Set<PooledConnection>();
  /** Newest last. */
  readonly #idle: PooledConnection[] = [];
  readonly #onEmpty: Array<() => void> = [];
  #isRetired = false;

  constructor(
    endpoint: EndpointSnapshot,
    upstream: UpstreamSettings,
    lane: EndpointLane,
    parts: TransportParts,
    dialler = new Dialler(endpointTarget(endpoint, upstream), parts.timers),
  ) {
    this.#deaths = new IdleDeaths(() => parts.onIdleDeath(upstream, endpoint));
    this.onFault = (kind, reason) => parts.onFault(endpoint, kind, reason);
    this.endpoint = endpoint;
    this.upstream = upstream;
    this.lane = lane;
    this.scanner = responseScanner(upstream.responseHeadBytes);
    this.dialler = dialler;
    this.#preface = prefaceOf(upstream, 'http/1.1');
  }

  /** Leases an idle connection, or a new one if there is none or the request needs one. */
  lease({ mustUseFresh, origin }: AttemptRequest): PooledConnection {
    const idle = mustUseFresh ? null : this.#takeIdle();
    if (idle !== null) return idle;
    const preface = this.#preface === null ? null : this.#preface.headerFor(origin);
    const connection = new PooledConnection(this, preface);
    this.#connections.add(connection);
    return connection;
  }

  #takeIdle(): PooledConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      this.lane.add('connectionsIdle', -1);
      if (connection.isReusable) {
        connection.take();
        return connection;
      }
      connection.destroy();
    }
    return null;
  }

  retire(onEmpty: () => void): void {
    this.#isRetired = true;
    this.dropIdle();
    if (this.#connections.size === 0) onEmpty();
    else this.#onEmpty.push(onEmpty);
  }

  dropIdle(): void {
    // Destroying a connection removes it from the list.
    while (this.#idle.length > 0) this.#idle[0]!.destroy();
  }

  async close(): Promise<void> {
    this.#isRetired = true;
    for (const connection of this.#connections) connection.destroy();
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  onFree(connection: PooledConnection): void {
    if (this.#isRetired || !connection.isReusable) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
    this.lane.add('connectionsIdle', 1);
    if (this.#idle.length > this.upstream.limits.maxIdle) this.#idle[0]!.destroy();
  }

  onIdleClose(close: IdleClose): void {
    this.#deaths.closed(close, performance.now());
  }

  onDestroyed(connection: PooledConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.lane.add('connectionsIdle', -1);
  }

  onClosed(connection: PooledConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}
