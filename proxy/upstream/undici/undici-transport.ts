// The general path's endpoint side: attempts over undici, one pool per endpoint and worker. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import type { Region } from '../../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { Timers } from '../../../core/timers.ts';
import { connectionSettings } from './connection-settings.ts';
import { EndpointLane } from '../endpoint-lane.ts';
import type { OnIdleDeath } from '../idle-deaths.ts';
import { EndpointPool } from './endpoint-pool.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { UndiciAttempt } from './undici-attempt.ts';

/** What a transport is made with. */
export interface TransportParts {
  readonly region: Region;
  /** Index of the worker: whose lane counts. */
  readonly worker: number;
  readonly timers: Timers;
  /** Is told of an endpoint that has closed its idle connections. */
  readonly onIdleDeath?: OnIdleDeath;
}

export class UndiciTransport implements Transport {
  readonly #parts: TransportParts;
  /** Of the endpoints of the newest Snapshot, by slot. */
  #pools = new Map<number, EndpointPool>();
  /** Pools that are gone from it and may have connections in use. */
  readonly #retired = new Set<EndpointPool>();

  constructor(parts: TransportParts) {
    this.#parts = parts;
  }

  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const attempt = new UndiciAttempt(request, events, () => this.#lease(request));
    attempt.start();
    return attempt;
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    const pools = new Map<number, EndpointPool>();
    for (const upstream of upstreams) {
      for (const endpoint of upstream.endpoints) pools.set(endpoint.slot, this.#keepOrMake(endpoint, upstream));
    }
    for (const [slot, pool] of this.#pools) {
      if (pools.get(slot) !== pool) this.#retire(pool);
    }
    this.#pools = pools;
  }

  dropIdle(slot: number): void {
    this.#pools.get(slot)?.dropIdle();
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values(), ...this.#retired];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.close()));
  }

  /**
   * An exchange may have begun with a Snapshot whose endpoint is gone by now: it gets a connection that is not kept.
   */
  #lease(request: AttemptRequest): PooledConnection {
    const { endpoint, upstream, mustUseFresh } = request;
    const pool = this.#pools.get(endpoint.slot);
    if (pool !== undefined && pool.endpoint.generation === endpoint.generation) return pool.lease(mustUseFresh);
    const passing = this.#make(endpoint, upstream);
    const connection = passing.lease(true);
    this.#retire(passing);
    return connection;
  }

  #keepOrMake(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): EndpointPool {
    const pool = this.#pools.get(endpoint.slot);
    const settings = connectionSettings(endpoint, upstream);
    if (pool !== undefined && connectionSettings(pool.endpoint, pool.upstream) === settings) return pool;
    return this.#make(endpoint, upstream);
  }

  #make(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): EndpointPool {
    const { region, worker, timers, onIdleDeath = () => undefined } = this.#parts;
    const lane = new EndpointLane(region, worker, endpoint.slot);
    return new EndpointPool(endpoint, upstream, { timers, lane, onIdleDeath });
  }

  #retire(pool: EndpointPool): void {
    this.#retired.add(pool);
    pool.retire(() => this.#retired.delete(pool));
  }
}
