// The connection pools of a transport, one per endpoint, kept over reloads while their settings stay. Thread: worker.

import type { AttemptRequest } from '../../core/exchange-contract.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

/** The connections of one worker to one endpoint. */
export interface ConnectionPool {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  dropIdle(): void;
  /** Closes idle connections now and leased ones when they are returned. @param onEmpty called when none is left */
  retire(onEmpty: () => void): void;
  /** Closes all connections, leased ones too. */
  close(): Promise<void>;
}

export class PoolTable<Pool extends ConnectionPool> {
  readonly #make: (endpoint: EndpointSnapshot, upstream: UpstreamSnapshot) => Pool;
  /** By slot, for the endpoints of the newest Snapshot. */
  #pools: (Pool | undefined)[] = [];
  /** Pools of removed endpoints that may still have leased connections. */
  readonly #retired = new Set<Pool>();

  constructor(make: (endpoint: EndpointSnapshot, upstream: UpstreamSnapshot) => Pool) {
    this.#make = make;
  }

  /**
   * The pool to lease from in this turn. An exchange may have begun with a Snapshot whose endpoint has been removed
   * since: it gets a pool that keeps no connection.
   */
  poolFor({ endpoint, upstream }: AttemptRequest): Pool {
    const pool = this.#pools[endpoint.slot];
    if (pool !== undefined && pool.endpoint.generation === endpoint.generation) return pool;
    const temporary = this.#make(endpoint, upstream);
    queueMicrotask(() => this.#retire(temporary));
    return temporary;
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    const pools: (Pool | undefined)[] = [];
    for (const upstream of upstreams) {
      for (const endpoint of upstream.endpoints) pools[endpoint.slot] = this.#keepOrMake(endpoint, upstream);
    }
    for (const [slot, pool] of this.#pools.entries()) {
      if (pool !== undefined && pools[slot] !== pool) this.#retire(pool);
    }
    this.#pools = pools;
  }

  dropIdle(slot: number): void {
    this.#pools[slot]?.dropIdle();
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.filter((pool) => pool !== undefined), ...this.#retired];
    this.#pools = [];
    await Promise.all(pools.map((pool) => pool.close()));
  }

  #keepOrMake(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): Pool {
    const pool = this.#pools[endpoint.slot];
    const settings = connectionSettings(endpoint, upstream);
    if (pool !== undefined && connectionSettings(pool.endpoint, pool.upstream) === settings) return pool;
    return this.#make(endpoint, upstream);
  }

  #retire(pool: Pool): void {
    this.#retired.add(pool);
    pool.retire(() => this.#retired.delete(pool));
  }
}

/** Every setting that open connections depend on, as one text to compare. */
function connectionSettings(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): string {
  const { slot, generation, protocol, host, port, socketPath } = endpoint;
  const { tls, timeouts, limits, responseHeadBytes, protocol: http } = upstream;
  const { connectMs, keepAliveMs } = timeouts;
  const where = [slot, generation, protocol, host, port, socketPath];
  return JSON.stringify([where, http, tls, connectMs, keepAliveMs, limits.maxIdle, responseHeadBytes]);
}
