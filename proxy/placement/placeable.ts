// The contract between placement and the things that it places: an HTTP exchange, later a TCP session. Thread: worker.

import type { PickRequest } from '../../core/balancer.ts';
import type { RetryVerdict } from '../../core/exchange-record.ts';
import type { Failure } from '../../core/failure.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { WheelTimer } from '../../core/timer-wheel.ts';
import type { UpstreamPicker } from '../../balancers/upstream-picker.ts';

/** One item is never tried at more endpoints than this. */
export const MAX_TRIED = 16;
/** Stands for "no endpoint" where a slot is expected. */
export const NO_SLOT = -1;

/** The upstream at which an item is placed. */
export interface PlacementTarget {
  readonly snapshot: UpstreamSnapshot;
  readonly picker: UpstreamPicker;
}

/** An item that needs a place at an endpoint. Placement writes `placement` and the timer, and reads everything else. */
export interface Placeable {
  readonly placement: Placement;
  /** Null until the item is routed; set before the item is placed. */
  readonly target: PlacementTarget | null;
  /** Armed while the item waits in the queue or backs off. When it fires, the owner calls `Placer.timerFired`. */
  readonly timer: WheelTimer;
  /** Whether the queue refuses it first. */
  readonly isSheddable: boolean;
  /** Whether sending it twice has the same effect as sending it once. */
  readonly isIdempotent: boolean;
  /** Whether everything received from the client so far can be sent again. */
  readonly isReplayable: boolean;
  /** Whether a second attempt may run beside the first. */
  readonly isHedgeable: boolean;
  /** Whether a byte of the response has gone to the client. */
  readonly hasResponseBegun: boolean;
  /** Monotonic ms at which an endpoint first had the whole request; 0 before. */
  readonly requestEndMs: number;
  /** The failure of the latest failed attempt. */
  readonly lastFailure: Failure | null;
}

/**
 * Placement's record of one item: which endpoints were tried, how often, and how long it waited. It is also the request
 * that balancers see. Only proxy/placement writes it, but for the hash words and the sticky slot, which its owner sets
 * before the first `place`.
 */
export class Placement implements PickRequest {
  hash1 = 0;
  hash2 = 0;
  /** Slot of the endpoint that the client is bound to; NO_SLOT where it is bound to none. */
  stickySlot = NO_SLOT;
  nowMs = 0;
  mayRetry = false;
  mayUseLastResort = false;
  triedCount = 0;
  /** The first of the tried slots: their endpoints failed for a lasting reason, and are not tried again. */
  unfitCount = 0;
  readonly triedSlots = new Int32Array(MAX_TRIED);
  /** Attempts so far, hedges included. */
  attempts = 0;
  /** Attempts that were hedges: they don't count as retries. */
  hedges = 0;
  /** Whether the running attempt was hedged, or may not be. */
  wasHedged = false;
  /** Whether the next attempt needs a new connection: a reused one has failed. */
  mustUseFresh = false;
  /** Whether endpoints that were tried may be tried again after the backoff. */
  startsOver = false;
  retryVerdict: RetryVerdict = 'none';
  isQueued = false;
  /** Slot of the only endpoint that it waits for; NO_SLOT where it waits for any. */
  queuedSlot = NO_SLOT;
  /** Requests that were queued before it: at its upstream, and at the only endpoint that it could use. */
  upstreamQueuePosition = 0;
  endpointQueuePosition = 0;
  /** Monotonic ms; 0 where not reached. */
  queuedMs = 0;
  placedMs = 0;

  /** Prepares the record for another item. `triedSlots` stays: only its first `triedCount` entries count. */
  reset(nowMs: number): void {
    this.hash1 = 0;
    this.hash2 = 0;
    this.stickySlot = NO_SLOT;
    this.nowMs = nowMs;
    this.mayRetry = false;
    this.mayUseLastResort = false;
    this.triedCount = 0;
    this.unfitCount = 0;
    this.attempts = 0;
    this.hedges = 0;
    this.wasHedged = false;
    this.mustUseFresh = false;
    this.startsOver = false;
    this.retryVerdict = 'none';
    this.isQueued = false;
    this.queuedSlot = NO_SLOT;
    this.upstreamQueuePosition = 0;
    this.endpointQueuePosition = 0;
    this.queuedMs = 0;
    this.placedMs = 0;
  }

  /** Attempts after the first, hedges excluded; -1 before the first. */
  get retries(): number {
    return this.attempts - this.hedges - 1;
  }

  /** Excludes an endpoint from the next picks. */
  markTried(slot: number): void {
    if (this.triedCount < MAX_TRIED) this.triedSlots[this.triedCount++] = slot;
  }

  /** Excludes an endpoint that was tried until `forgetUnfit`: it failed for a lasting reason. */
  markUnfit(slot: number): void {
    const at = this.triedSlots.subarray(0, this.triedCount).indexOf(slot, this.unfitCount);
    if (at < 0) return;
    this.triedSlots[at] = this.triedSlots[this.unfitCount]!;
    this.triedSlots[this.unfitCount++] = slot;
  }

  /** Allows all endpoints again that may succeed. */
  startOver(): void {
    this.triedCount = this.unfitCount;
  }

  /** Allows all endpoints again. */
  forgetUnfit(): void {
    this.triedCount = 0;
    this.unfitCount = 0;
  }
}
