// Sources of failures: which client failed at which endpoint with which URL, and whether the same request succeeded
// elsewhere. A URL that fails everywhere accuses itself; one that succeeds at another endpoint accuses the endpoint.
// Thread: worker.

import { writeAddressPrefix } from '../../balancers/address-prefix.ts';
import { mix32, murmur32, murmur32OfString } from '../../core/murmur.ts';

/** The request that failed. */
export interface RequestSource {
  readonly clientAddress: string;
  readonly routeName: string;
  readonly head: { readonly target: string };
}

/** Failures of one source at one endpoint within this time are one piece of evidence. */
const WINDOW_MS = 10_000;
/** Entries kept; the oldest is replaced. Enough for every endpoint of an upstream in trouble; bounded against floods. */
const CAPACITY = 64;

interface Entry {
  slot: number;
  upstream: number;
  /** Hash of client and route. */
  source: number;
  /** Hash of client and path. */
  request: number;
  atMs: number;
  /** Whether the same client got the same path from another endpoint since. */
  isConfirmed: boolean;
}

/** The weight of a failure as evidence against its endpoint. */
export interface Evidence {
  /** Hash of client and route, for countFailureOf. */
  readonly source: number;
  /** Whether this source failed at this endpoint within the last ten seconds. */
  readonly isRepeated: boolean;
  /** Whether the endpoint is to blame: a request of this source that failed here succeeded elsewhere. Then all count. */
  readonly isConfirmed: boolean;
}

const prefix = new Uint8Array(8);

export class FailureSources {
  readonly #entries: Entry[] = [];
  #next = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Records a failure at an endpoint and weighs it. */
  failed(upstream: number, slot: number, request: RequestSource, nowMs: number): Evidence {
    const client = hashClient(request.clientAddress);
    const source = mix32(client ^ murmur32OfString(request.routeName, 1));
    const path = hashRequest(client, request.head.target);
    let isRepeated = false;
    let isConfirmed = false;
    for (const entry of this.#entries) {
      if (entry.slot !== slot || entry.upstream !== upstream || nowMs - entry.atMs >= WINDOW_MS) continue;
      if (entry.source !== source) continue;
      isRepeated = true;
      isConfirmed ||= entry.isConfirmed;
    }
    this.#keep({ slot, upstream, source, request: path, atMs: nowMs, isConfirmed: false });
    return { source, isRepeated, isConfirmed };
  }

  /** Drops the failures of a slot: it has another endpoint. */
  forget(slot: number): void {
    for (const entry of this.#entries) if (entry.slot === slot) entry.atMs = Number.NEGATIVE_INFINITY;
  }

  /** Records a success. Costs one comparison while nothing has failed for a while. */
  succeeded(upstream: number, slot: number, request: RequestSource, nowMs: number): void {
    if (nowMs - this.#lastMs >= WINDOW_MS) return;
    const path = hashRequest(hashClient(request.clientAddress), request.head.target);
    for (const entry of this.#entries) {
      if (entry.request !== path || entry.upstream !== upstream || entry.slot === slot) continue;
      if (nowMs - entry.atMs < WINDOW_MS) entry.isConfirmed = true;
    }
  }

  #keep(entry: Entry): void {
    this.#lastMs = entry.atMs;
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % CAPACITY;
  }
}

/** One client: all of an IPv4 address, the /64 of an IPv6 one; all clients of a Unix socket are one. */
function hashClient(address: string): number {
  return murmur32(prefix, writeAddressPrefix(address, prefix), 0);
}

function hashRequest(client: number, target: string): number {
  const query = target.indexOf('?');
  return mix32(client ^ murmur32OfString(query < 0 ? target : target.slice(0, query), 2));
}
