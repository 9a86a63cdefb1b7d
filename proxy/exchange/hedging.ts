// Hedging: a second try at another endpoint beside the first, when the answer takes longer than usual
// (docs/algorithms.md 4.4, after Dean and Barroso 2013). For GET and HEAD without a body, within the retry budget.
// Thread: worker.

import { E_INFLIGHT, E_LIMIT } from '../../core/memory/layout.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Exchange } from './exchange.ts';
import { LatencyWindow } from '../placement/latency-window.ts';
import { findPlace, giveBack } from '../placement/place.ts';
import { isHedgeable } from '../placement/retry.ts';
import { withdrawForRetry } from '../placement/retry-budget.ts';

/** A hedge by percentile is never sent earlier than this. */
const LEAST_DELAY_MS = 10;
/** Above this share of its limits an upstream is busy, and hedges would only add to it. */
const MOST_LOAD = 0.8;

export class Hedging {
  readonly #context: ForwardingContext;
  readonly #windows = new Map<number, LatencyWindow>();

  constructor(context: ForwardingContext) {
    this.#context = context;
  }

  /** Notes how long an upstream's endpoint took to answer, where the upstream hedges by percentile. */
  observe(upstream: UpstreamSnapshot, ms: number, nowMs: number): void {
    if (upstream.hedge === null || upstream.hedge.percentile === 0) return;
    let window = this.#windows.get(upstream.index);
    if (window === undefined) {
      window = new LatencyWindow(nowMs);
      this.#windows.set(upstream.index, window);
    }
    window.observe(ms, nowMs);
  }

  /** After how many ms of waiting for a connection or for its head this exchange is hedged; Infinity where it isn't. */
  delayMs(exchange: Exchange, nowMs: number): number {
    const upstream = exchange.target!.snapshot;
    const { hedge } = upstream;
    if (hedge === null || exchange.wasHedged || exchange.upgrade !== null) return Infinity;
    if (!isHedgeable(exchange.head)) return Infinity;
    if (hedge.afterMs > 0) return hedge.afterMs;
    const usualMs = this.#windows.get(upstream.index)?.percentile(hedge.percentile, nowMs) ?? 0;
    return usualMs === 0 ? Infinity : Math.max(LEAST_DELAY_MS, usualMs);
  }

  /** Reserves a place for the hedge of an exchange and pays for it. Returns its slot; -1 where none is to be had. */
  findSlot(exchange: Exchange): number {
    const { region, worker, clock } = this.#context;
    const target = exchange.target!;
    exchange.wasHedged = true;
    if (!this.#hasRoom(target.snapshot)) return -1;
    exchange.mayUseLastResort = false;
    exchange.nowMs = clock.nowMs();
    const place = findPlace(exchange, target, region, worker);
    if (place.slot < 0) return -1;
    if (!place.isTrial && withdrawForRetry(region, target.snapshot.index)) return place.slot;
    giveBack(place, region, worker);
    return -1;
  }

  /** Whether the upstream has room for more than its share of requests. */
  #hasRoom(upstream: UpstreamSnapshot): boolean {
    const { region } = this.#context;
    let inflight = 0;
    let most = 0;
    for (const { slot } of upstream.endpoints) {
      const word = region.endpointWord(slot);
      const limit = region.words[word + E_LIMIT]!;
      if (limit === 0) return true;
      inflight += region.words[word + E_INFLIGHT]!;
      most += limit;
    }
    return inflight <= MOST_LOAD * most;
  }
}
