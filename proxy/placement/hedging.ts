// Hedging: a second attempt at another endpoint beside the first, when the response takes longer than usual
// (docs/algorithms.md 4.4, after Dean and Barroso 2013). Within the retry budget. Thread: worker.

import { UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import { E_INFLIGHT, E_LIMIT } from '../../core/memory/layout.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { LatencyWindow } from './latency-window.ts';
import { findPlace, giveBack, type Place } from './place.ts';
import type { Placeable } from './placeable.ts';
import type { PlacementContext } from './placement-context.ts';
import { withdrawForRetry } from './retry-budget.ts';

/** A hedge by percentile is never sent earlier than this. */
const MIN_DELAY_MS = 10;
/** Above this share of its limits an upstream is busy, and hedges would only add to its load. */
const MAX_LOAD = 0.8;

export class Hedging {
  readonly #context: PlacementContext;
  readonly #windows = new Map<number, LatencyWindow>();

  constructor(context: PlacementContext) {
    this.#context = context;
  }

  /** Records an upstream's response time, where the upstream hedges by percentile. */
  observe(upstream: UpstreamSnapshot, ms: number, nowMs: number): void {
    if (upstream.hedge === null || upstream.hedge.percentile === 0) return;
    let window = this.#windows.get(upstream.index);
    if (window === undefined) {
      window = new LatencyWindow(nowMs);
      this.#windows.set(upstream.index, window);
    }
    window.observe(ms, nowMs);
  }

  /** ms after which an item that waits for a connection or a response is hedged; Infinity where it never is. */
  delayMs(item: Placeable, nowMs: number): number {
    const upstream = item.target!.snapshot;
    const { hedge } = upstream;
    if (hedge === null || item.placement.wasHedged || !item.isHedgeable) return Infinity;
    if (hedge.afterMs > 0) return hedge.afterMs;
    const usualMs = this.#windows.get(upstream.index)?.percentile(hedge.percentile, nowMs) ?? 0;
    return usualMs === 0 ? Infinity : Math.max(MIN_DELAY_MS, usualMs);
  }

  /** Marks an item whose hedge is due: it is hedged once, whether a place is found or not. */
  claim({ placement }: Placeable): void {
    placement.wasHedged = true;
  }

  /** Reserves a place for a hedge and withdraws it from the budget. Returns null where either is missing. */
  findPlace(item: Placeable): Place | null {
    const { region, worker, clock } = this.#context;
    const target = item.target!;
    const { placement } = item;
    if (!this.#hasRoom(target.snapshot)) return null;
    placement.mayUseLastResort = false;
    placement.nowMs = clock.nowMs();
    const place = findPlace(placement, target, region, worker);
    if (place.slot < 0) return null;
    if (!place.isTrial && withdrawForRetry(region, target.snapshot.index)) return place;
    giveBack(place, region, worker);
    return null;
  }

  /** Counts a hedge that is about to be sent. */
  begun({ placement, target }: Placeable): void {
    placement.hedges++;
    this.#context.lanes.upstream(target!.snapshot.index).add(UPSTREAM_FIELD.hedges, 1);
  }

  /** Counts a hedge whose response came first. */
  won({ target }: Placeable): void {
    this.#context.lanes.upstream(target!.snapshot.index).add(UPSTREAM_FIELD.hedgesWon, 1);
  }

  /** One of two attempts has failed: the other may be hedged again. */
  allowAgain({ placement }: Placeable): void {
    placement.wasHedged = false;
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
    return inflight <= MAX_LOAD * most;
  }
}
