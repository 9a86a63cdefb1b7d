// The pools of an endpoint that gets PROXY protocol headers: one for each client, because the header at the start of a
// connection names the client of all its requests. Thread: worker.

import type { AttemptRequest } from '../../core/exchange-contract.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../../core/snapshot/upstream.ts';
import type { Dialler } from '../../net/dial.ts';
import { isDirect, ProxyPreface } from './proxy-preface.ts';

interface SharingPool {
  /** Its TLS context and session serve the pools of all clients. */
  readonly dialler: Dialler;
  dropIdle(): void;
}

export interface ClientPoolsParts<Pool> {
  make(dialler: Dialler | undefined): Pool;
  /** Takes over a pool that is not used any more. */
  retire(pool: Pool): void;
}

export class ClientPools<Pool extends SharingPool> {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSettings;
  readonly #preface: ProxyPreface;
  readonly #parts: ClientPoolsParts<Pool>;
  readonly #maxPools: number;
  /** By the key of the header, the longest unused first. */
  readonly #pools = new Map<string, Pool>();
  #dialler: Dialler | undefined;

  constructor(
    endpoint: EndpointSnapshot,
    upstream: UpstreamSettings,
    settings: NonNullable<UpstreamSettings['proxyProtocol']>,
    parts: ClientPoolsParts<Pool>,
  ) {
    this.endpoint = endpoint;
    this.upstream = upstream;
    this.#preface = new ProxyPreface(settings, '');
    this.#parts = parts;
    // A client has one connection for each request in progress: the idle ones stay within the limit for the endpoint.
    this.#maxPools = Math.max(1, upstream.limits.maxIdle);
  }

  /** The pool of the request's client. It closes its idle connections as soon as the client's connection has closed. */
  poolFor({ origin }: AttemptRequest): Pool {
    const key = this.#preface.keyOf(origin);
    const known = this.#pools.get(key);
    if (known !== undefined) {
      this.#pools.delete(key);
      this.#pools.set(key, known);
      return known;
    }
    const pool = this.#parts.make(this.#dialler);
    this.#dialler = pool.dialler;
    this.#pools.set(key, pool);
    if (isDirect(origin)) origin.connection.onceClosed(this, () => this.#drop(key));
    if (this.#pools.size > this.#maxPools) this.#drop(this.#pools.keys().next().value!);
    return pool;
  }

  dropIdle(): void {
    for (const pool of this.#pools.values()) pool.dropIdle();
  }

  /** Removes all pools. @returns them */
  takeAll(): Pool[] {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    return pools;
  }

  #drop(key: string): void {
    const pool = this.#pools.get(key);
    if (pool === undefined) return;
    this.#pools.delete(key);
    this.#parts.retire(pool);
  }
}
