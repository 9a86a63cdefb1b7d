// The fast path's endpoint side: attempts over our own connections, one pool per endpoint and worker. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import { failureOf } from '../../../core/failure.ts';
import type { Region } from '../../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { TimerWheel } from '../../../core/timer-wheel.ts';
import type { Timers } from '../../../core/timers.ts';
import { connectionSettings } from '../undici/connection-settings.ts';
import type { OnIdleDeath } from '../idle-deaths.ts';
import type { ConnectionParts } from './connection-parts.ts';
import { Http1Attempt } from './http1-attempt.ts';
import { Http1Pool, type PoolContext } from './http1-pool.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { RequestEncoder } from './request-encoder.ts';
import { ReuseDelay } from './reuse-delay.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';

/** What the transport is made with. `turn` and `memory` are those of the worker's fast client side. */
export interface Http1TransportParts {
  readonly region: Region;
  /** Index of the worker: whose lane counts. */
  readonly worker: number;
  readonly timers: Timers;
  /** Is told of an endpoint that has closed its idle connections. */
  readonly onIdleDeath?: OnIdleDeath;
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
}

export class Http1Transport implements Transport {
  readonly #context: PoolContext;
  readonly #parts: ConnectionParts;
  readonly #encoder = new RequestEncoder();
  /** Of the endpoints of the newest Snapshot, by slot. */
  #pools: (Http1Pool | undefined)[] = [];
  /** Pools that are gone from it and may have connections in use. */
  readonly #retired = new Set<Http1Pool>();

  constructor(parts: Http1TransportParts) {
    const { region, worker, timers, wheel, turn, memory } = parts;
    this.#context = { region, worker, timers, onIdleDeath: parts.onIdleDeath ?? (() => undefined) };
    this.#parts = { wheel, turn, memory, reuse: new ReuseDelay(wheel, turn) };
  }

  /**
   * For a head of the fast client side events may come before this returns; for all others they come after the
   * caller's turn.
   */
  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const isImmediate = request.head instanceof ScannedRequestHead;
    const headText = this.#encoder.encode(request);
    const attempt = new Http1Attempt(request, events, isImmediate, headText ?? '');
    if (headText === null) queueMicrotask(() => attempt.fail(failureOf('unsendable-request', false)));
    else if (isImmediate) this.#poolFor(request).lease(attempt);
    else {
      queueMicrotask(() => {
        if (!attempt.isOver) this.#poolFor(request).lease(attempt);
      });
    }
    return attempt;
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    const pools: (Http1Pool | undefined)[] = [];
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

  /** An exchange may have begun with a Snapshot whose endpoint is gone by now: its connection is not kept. */
  #poolFor(request: AttemptRequest): Http1Pool {
    const { endpoint, upstream } = request;
    const pool = this.#pools[endpoint.slot];
    if (pool !== undefined && pool.endpoint.generation === endpoint.generation) return pool;
    const passing = new Http1Pool(endpoint, upstream, this.#parts, this.#context);
    // Retired once the attempt has its connection.
    queueMicrotask(() => this.#retire(passing));
    return passing;
  }

  #keepOrMake(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): Http1Pool {
    const pool = this.#pools[endpoint.slot];
    const settings = connectionSettings(endpoint, upstream);
    if (pool !== undefined && connectionSettings(pool.endpoint, pool.upstream) === settings) return pool;
    return new Http1Pool(endpoint, upstream, this.#parts, this.#context);
  }

  #retire(pool: Http1Pool): void {
    this.#retired.add(pool);
    pool.retire(() => this.#retired.delete(pool));
  }
}
