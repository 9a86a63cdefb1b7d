// The connection pools of a transport, one per endpoint, kept over reloads while their settings stay. Thread: worker.

import type { AttemptRequest } from '../../core/exchange-contract.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { Dialler } from '../../net/dial.ts';
import { ClientPools } from './client-pools.ts';

/** The connections of one worker to one endpoint. */
export interface ConnectionPool {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  readonly dialler: Dialler;
  dropIdle(): void;
  /** Closes idle connections now and leased ones when they are returned. @param onEmpty called when none is left */
  retire(onEmpty: () => void): void;
  /** Closes all connections, leased ones too. */
  close(): Promise<void>;
}

/** @param dialler of another pool of the endpoint; left out, the pool makes its own */
export type MakePool<Pool> = (endpoint: EndpointSnapshot, upstream: UpstreamSnapshot, dialler?: Dialler) => Pool;

export class PoolTable<Pool extends ConnectionPool> {
  readonly #make: MakePool<Pool>;
  /** By slot, for the endpoints of the newest Snapshot. */
  #pools: (Pool | undefined)[] = [];
  /** By slot: endpoints that get PROXY protocol headers are in this list instead. */
  #clientPools: (ClientPools<Pool> | undefined)[] = [];
  /** Pools of removed endpoints that may still have leased connections. */
  readonly #retired = new Set<Pool>();

  constructor(make: MakePool<Pool>) {
    this.#make = make;
  }

  /**
   * The pool to lease from in this turn. An exchange may have begun with a Snapshot whose endpoint has been removed
   * since: it gets a pool that keeps no connection.
   */
  poolFor(request: AttemptRequest): Pool {
    const { endpoint } = request;
    const pool = this.#pools[endpoint.slot];
    if (pool !== undefined && pool.endpoint.generation === endpoint.generation) return pool;
    return this.#otherPoolFor(request);
  }

  #otherPoolFor(request: AttemptRequest): Pool {
    const { endpoint, upstream } = request;
    const pools = this.#clientPools[endpoint.slot];
    if (pools !== undefined && pools.endpoint.generation === endpoint.generation) return pools.poolFor(request);
    const temporary = this.#make(endpoint, upstream);
    queueMicrotask(() => this.#retire(temporary));
    return temporary;
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    const pools: (Pool | undefined)[] = [];
    const clientPools: (ClientPools<Pool> | undefined)[] = [];
    for (const upstream of upstreams) {
      const { proxyProtocol } = upstream;
      for (const endpoint of upstream.endpoints) {
        if (proxyProtocol === null) pools[endpoint.slot] = this.#keepOrMake(endpoint, upstream);
        else clientPools[endpoint.slot] = this.#keepOrMakeForClients(endpoint, upstream, proxyProtocol);
      }
    }
    for (const [slot, ofClients] of this.#clientPools.entries()) {
      if (ofClients !== clientPools[slot]) for (const pool of ofClients?.takeAll() ?? []) this.#retire(pool);
    }
    this.#clientPools = clientPools;
    for (const [slot, pool] of this.#pools.entries()) {
      if (pool !== undefined && pools[slot] !== pool) this.#retire(pool);
    }
    this.#pools = pools;
  }

  /** Takes other endpoints of some upstreams over; the others stay. @param before and after: the same upstreams */
  amend(before: readonly UpstreamSnapshot[], after: readonly UpstreamSnapshot[]): void {
    const pools = new Map<number, Pool>();
    const clientPools = new Map<number, ClientPools<Pool>>();
    for (const upstream of after) {
      const { endpoints, proxyProtocol } = upstream;
      for (const endpoint of endpoints) {
        if (proxyProtocol === null) pools.set(endpoint.slot, this.#keepOrMake(endpoint, upstream));
        else clientPools.set(endpoint.slot, this.#keepOrMakeForClients(endpoint, upstream, proxyProtocol));
      }
    }
    const slots = new Set([...before, ...after].flatMap(({ endpoints }) => endpoints.map(({ slot }) => slot)));
    for (const slot of slots) {
      this.#put(slot, pools.get(slot));
      this.#putForClients(slot, clientPools.get(slot));
    }
  }

  #putForClients(slot: number, pools: ClientPools<Pool> | undefined): void {
    const known = this.#clientPools[slot];
    if (known === pools) return;
    for (const pool of known?.takeAll() ?? []) this.#retire(pool);
    this.#clientPools[slot] = pools;
  }

  #put(slot: number, pool: Pool | undefined): void {
    const known = this.#pools[slot];
    if (known === pool) return;
    if (known !== undefined) this.#retire(known);
    this.#pools[slot] = pool;
  }

  dropIdle(slot: number): void {
    this.#pools[slot]?.dropIdle();
    this.#clientPools[slot]?.dropIdle();
  }

  async close(): Promise<void> {
    const ofClients = this.#clientPools.flatMap((pools) => pools?.takeAll() ?? []);
    const pools = [...this.#pools.filter((pool) => pool !== undefined), ...ofClients, ...this.#retired];
    this.#pools = [];
    this.#clientPools = [];
    await Promise.all(pools.map((pool) => pool.close()));
  }

  #keepOrMake(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): Pool {
    const pool = this.#pools[endpoint.slot];
    const settings = connectionSettings(endpoint, upstream);
    if (pool !== undefined && connectionSettings(pool.endpoint, pool.upstream) === settings) return pool;
    return this.#make(endpoint, upstream);
  }

  #keepOrMakeForClients(
    endpoint: EndpointSnapshot,
    upstream: UpstreamSnapshot,
    settings: NonNullable<UpstreamSnapshot['proxyProtocol']>,
  ): ClientPools<Pool> {
    const pools = this.#clientPools[endpoint.slot];
    const text = connectionSettings(endpoint, upstream);
    if (pools !== undefined && connectionSettings(pools.endpoint, pools.upstream) === text) return pools;
    return new ClientPools<Pool>(endpoint, upstream, settings, {
      make: (dialler) => this.#make(endpoint, upstream, dialler),
      retire: (pool) => this.#retire(pool),
    });
  }

  #retire(pool: Pool): void {
    this.#retired.add(pool);
    pool.retire(() => this.#retired.delete(pool));
  }
}

/** Every setting that open connections depend on, as one text to compare. */
function connectionSettings(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): string {
  const { slot, generation, protocol, host, port, socketPath } = endpoint;
  const { tls, timeouts, limits, responseHeadBytes, proxyProtocol, protocol: http } = upstream;
  const { connectMs, keepAliveMs } = timeouts;
  const where = [slot, generation, protocol, host, port, socketPath];
  return JSON.stringify([where, http, tls, connectMs, keepAliveMs, limits.maxIdle, responseHeadBytes, proxyProtocol]);
}
