// The connection pools of a transport, one per endpoint, kept over reloads while their settings stay. Thread: worker.

import type { AmendedUpstream } from '../../core/endpoint-delta.ts';
import type { AttemptRequest } from '../../core/exchange-contract.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSettings, UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { Dialler } from '../../net/dial.ts';
import { ClientPools } from './client-pools.ts';

/** The connections of one worker to one endpoint. */
export interface ConnectionPool {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSettings;
  readonly dialler: Dialler;
  dropIdle(): void;
  /** Closes idle connections now and leased ones when they are returned. @param onEmpty called when none is left */
  retire(onEmpty: () => void): void;
  /** Closes all connections, leased ones too. */
  close(): Promise<void>;
}

/** @param dialler of another pool of the endpoint; left out, the pool makes its own */
export type MakePool<Pool> = (endpoint: EndpointSnapshot, upstream: UpstreamSettings, dialler?: Dialler) => Pool;

/** An endpoint of the newest Snapshot, with the settings of its upstream. */
interface Member {
  readonly endpoint: EndpointSnapshot;
  readonly settings: UpstreamSettings;
}

export class PoolTable<Pool extends ConnectionPool> {
  readonly #make: MakePool<Pool>;
  /** By slot. */
  #members: (Member | undefined)[] = [];
  /** By the index of the upstream. One object serves all its pools. */
  #settings = new Map<number, UpstreamSettings>();
  /** By slot: made for the first request to an endpoint, since most workers use few of thousands of endpoints. */
  readonly #pools: (Pool | undefined)[] = [];
  /** By slot: endpoints that get PROXY protocol headers are in this list instead. */
  readonly #clientPools: (ClientPools<Pool> | undefined)[] = [];
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
    const member = this.#members[endpoint.slot];
    if (member?.endpoint.generation === endpoint.generation) {
      const { proxyProtocol } = member.settings;
      if (proxyProtocol !== null) return this.#clientPoolsOf(member, proxyProtocol).poolFor(request);
      return (this.#pools[endpoint.slot] = this.#make(member.endpoint, member.settings));
    }
    const temporary = this.#make(endpoint, upstream);
    queueMicrotask(() => this.#retire(temporary));
    return temporary;
  }

  #clientPoolsOf(
    { endpoint, settings }: Member,
    header: NonNullable<UpstreamSettings['proxyProtocol']>,
  ): ClientPools<Pool> {
    return (this.#clientPools[endpoint.slot] ??= new ClientPools<Pool>(endpoint, settings, header, {
      make: (dialler) => this.#make(endpoint, settings, dialler),
      retire: (pool) => this.#retire(pool),
    }));
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    this.#settings = new Map(upstreams.map((upstream) => [upstream.index, settingsOf(upstream)]));
    this.#members = [];
    for (const { index, endpoints } of upstreams) this.#admit(index, endpoints);
    for (const slot of this.#pools.keys()) this.#retireChanged(slot);
    for (const slot of this.#clientPools.keys()) this.#retireChanged(slot);
  }

  /** Takes other endpoints of some upstreams over; the others stay. */
  amend(upstreams: readonly AmendedUpstream[]): void {
    for (const { removed } of upstreams) for (const { slot } of removed) this.#members[slot] = undefined;
    for (const { upstream, changed } of upstreams) this.#admit(upstream.index, changed);
    for (const { removed, changed } of upstreams) {
      for (const { slot } of removed) this.#retireChanged(slot);
      for (const { slot } of changed) this.#retireChanged(slot);
    }
  }

  #admit(index: number, endpoints: readonly EndpointSnapshot[]): void {
    const settings = this.#settings.get(index)!;
    for (const endpoint of endpoints) {
      this.#members[endpoint.slot] = { endpoint, settings };
      // Without holes: an array with large ones is looked up as a hash table, for each request.
      while (this.#pools.length <= endpoint.slot) this.#pools.push(undefined);
    }
  }

  /** Retires the pools of a slot, unless they connect as the endpoint that has the slot now does. */
  #retireChanged(slot: number): void {
    const pool = this.#pools[slot];
    if (pool !== undefined && !this.#serves(slot, pool)) {
      this.#pools[slot] = undefined;
      this.#retire(pool);
    }
    const pools = this.#clientPools[slot];
    if (pools !== undefined && !this.#serves(slot, pools)) {
      this.#clientPools[slot] = undefined;
      for (const one of pools.takeAll()) this.#retire(one);
    }
  }

  #serves(slot: number, { endpoint, upstream }: Pick<ConnectionPool, 'endpoint' | 'upstream'>): boolean {
    const member = this.#members[slot];
    return (
      member !== undefined &&
      connectionSettings(endpoint, upstream) === connectionSettings(member.endpoint, member.settings)
    );
  }

  dropIdle(slot: number): void {
    this.#pools[slot]?.dropIdle();
    this.#clientPools[slot]?.dropIdle();
  }

  async close(): Promise<void> {
    const ofClients = this.#clientPools.flatMap((pools) => pools?.takeAll() ?? []);
    const pools = [...this.#pools.filter((pool) => pool !== undefined), ...ofClients, ...this.#retired];
    this.#members = [];
    this.#pools.length = 0;
    this.#clientPools.length = 0;
    await Promise.all(pools.map((pool) => pool.close()));
  }

  #retire(pool: Pool): void {
    this.#retired.add(pool);
    pool.retire(() => this.#retired.delete(pool));
  }
}

/** A pool outlives many lists of endpoints: it must not keep the one alive in which its own was new. */
function settingsOf(upstream: UpstreamSnapshot): UpstreamSettings {
  const { endpoints: _endpoints, ...settings } = upstream;
  return settings;
}

/** Every setting that open connections depend on, as one text to compare. */
function connectionSettings(endpoint: EndpointSnapshot, upstream: UpstreamSettings): string {
  const { slot, generation, protocol, host, port, socketPath } = endpoint;
  const { tls, timeouts, limits, responseHeadBytes, proxyProtocol, protocol: http } = upstream;
  const { connectMs, keepAliveMs } = timeouts;
  const where = [slot, generation, protocol, host, port, socketPath];
  return JSON.stringify([where, http, tls, connectMs, keepAliveMs, limits.maxIdle, responseHeadBytes, proxyProtocol]);
}
