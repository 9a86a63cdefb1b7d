// Decides whether and when another attempt follows a failed one: the rules of retry-verdict.ts first, then the checks
// that cost more: another endpoint, the time that is left, the budget (docs/algorithms.md 4.1, 4.2). Thread: worker.

import { PICK_FAILURE, wasTried } from '../../core/balancer.ts';
import type { RetryVerdict } from '../../core/exchange-record.ts';
import { randomBelow } from '../../core/random.ts';
import { MAX_TRIED, type Placeable } from './placeable.ts';
import type { PlacementContext } from './placement-context.ts';
import { withdrawForRetry } from './retry-budget.ts';
import { type RetryFacts, retryVerdict } from './retry-verdict.ts';

/** First and longest span of the full-jitter backoff before a retry of a request that was sent. */
const BACKOFF_FIRST_MS = 25;
const BACKOFF_MAX_MS = 250;
/** A Retry-After of the only endpoint left is honoured up to this; beyond it the client gets the response instead. */
const RETRY_AFTER_WAIT_MAX_MS = 1000;
/** No endpoint is avoided for longer, whatever its Retry-After says: an hour would be an ejection without a judge. */
const RETRY_AFTER_MAX_MS = 10_000;
/**
 * A retry with less time than this, or than a quarter of a try's timeout (half the response timeout where it has none),
 * isn't worth the endpoint's work.
 */
const MIN_TIME_MS = 10;

/** No other attempt follows; the item's `retryVerdict` says why. */
export const NO_RETRY = -1;

/** Whether another attempt could follow one that was sent and not answered (level b), budget and endpoints aside. */
export function mayRepeat(item: Placeable): boolean {
  if (item.hasResponseBegun || !item.isReplayable) return false;
  return item.placement.retries < item.target!.snapshot.retry.attempts && item.isIdempotent;
}

export class Retries {
  readonly #context: PlacementContext;
  /** By slot: until when this worker's retries avoid an endpoint that sent Retry-After, in monotonic ms. */
  readonly #avoidUntilMs: Float64Array;

  constructor(context: PlacementContext) {
    this.#context = context;
    this.#avoidUntilMs = new Float64Array(context.region.capacity.endpoints);
  }

  /** Records a Retry-After of `ms` (RFC 9110 section 10.2.3). Retries keep to it; first attempts follow the balancer. */
  observeRetryAfter(slot: number, ms: number, nowMs: number): void {
    this.#avoidUntilMs[slot] = nowMs + Math.min(RETRY_AFTER_MAX_MS, ms);
  }

  /** Drops the Retry-After of a slot: it has another endpoint. */
  forget(slot: number): void {
    this.#avoidUntilMs[slot] = 0;
  }

  /**
   * Decides after a failed attempt, or a response with a retryable status. Returns the backoff in ms, or NO_RETRY.
   * Withdraws the retry from the budget.
   * @param kind of the failure; 'status' or 'grpc-status' for a retryable status
   */
  backoffAfter(item: Placeable, kind: RetryFacts['kind'], wasSent: boolean): number {
    const { placement } = item;
    const { snapshot } = item.target!;
    placement.retryVerdict = retryVerdict(factsOf(item, kind, wasSent), snapshot.retry);
    if (placement.retryVerdict.startsWith('refused')) return NO_RETRY;
    // A retry of an unsent request or after a keep-alive race adds no load: it needs no backoff and no budget.
    const isHarmless = !wasSent || kind === 'stale-connection';
    const backoffMs = isHarmless ? 0 : this.#backoffMs(item, kind);
    if (backoffMs === NO_RETRY) return refuse(item, 'refused-no-other-endpoint');
    if (!this.#hasTime(item, backoffMs)) return refuse(item, 'refused-no-time');
    if (isHarmless || withdrawForRetry(this.#context.region, snapshot.index)) return backoffMs;
    return refuse(item, 'refused-budget');
  }

  /** Ends a backoff: where every endpoint had been tried, they may be tried again. */
  resume(item: Placeable): void {
    const { placement } = item;
    if (!placement.startsOver) return;
    placement.startsOver = false;
    placement.startOver();
    this.#excludeBackedOff(item);
  }

  /**
   * Whether endpoints that failed for a lasting reason may be tried again: as a retry like others, since one address may stand
   * for several servers.
   */
  mayTryUnfit(item: Placeable): boolean {
    const { retry, index } = item.target!.snapshot;
    if (item.placement.retries >= retry.attempts) return refuse(item, 'refused-attempts') !== NO_RETRY;
    return withdrawForRetry(this.#context.region, index) || refuse(item, 'refused-budget') !== NO_RETRY;
  }

  /** Uniform between 1 and 25, 75, 175 and then always 250 ms, so that simultaneous failures don't retry together. */
  jitterMs(item: Placeable): number {
    const retries = Math.max(1, item.placement.retries + 1);
    const spanMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * (2 ** retries - 1));
    return 1 + randomBelow(this.#context.random, spanMs);
  }

  /** Jitter where another endpoint is left; else the shortest Retry-After, if it is short enough. */
  #backoffMs(item: Placeable, kind: RetryFacts['kind']): number {
    this.#excludeBackedOff(item);
    const found = this.#peek(item);
    if (found >= 0) return this.jitterMs(item);
    if (kind === 'status' || kind === 'grpc-status') return this.#shortestRetryAfterMs(item);
    const waits = item.target!.snapshot.whenAllDown === 'wait';
    item.placement.startsOver = waits && found === PICK_FAILURE.allTried;
    return waits || found === PICK_FAILURE.allBusy ? this.jitterMs(item) : NO_RETRY;
  }

  /** Picks without reserving: a slot that could take the item now, or one of PICK_FAILURE. */
  #peek(item: Placeable): number {
    const { placement } = item;
    placement.nowMs = this.#context.clock.nowMs();
    placement.mayRetry = mayRepeat(item);
    placement.mayUseLastResort = true;
    return item.target!.picker.pick(placement);
  }

  /** Counts endpoints whose Retry-After hasn't passed as tried. */
  #excludeBackedOff({ placement, target }: Placeable): void {
    const nowMs = this.#context.clock.nowMs();
    for (const { slot } of target!.snapshot.endpoints) {
      if (placement.triedCount >= MAX_TRIED) return;
      if (this.#avoidUntilMs[slot]! > nowMs && !wasTried(placement, slot)) placement.markTried(slot);
    }
  }

  #shortestRetryAfterMs({ placement, target }: Placeable): number {
    const nowMs = this.#context.clock.nowMs();
    let shortestMs = Infinity;
    for (const { slot } of target!.snapshot.endpoints) {
      const leftMs = this.#avoidUntilMs[slot]! - nowMs;
      if (leftMs > 0) shortestMs = Math.min(shortestMs, leftMs);
    }
    if (shortestMs > RETRY_AFTER_WAIT_MAX_MS) return NO_RETRY;
    placement.startsOver = true;
    return shortestMs;
  }

  /** Whether an attempt that begins after the backoff could still be answered within the response timeout. */
  #hasTime({ target, requestEndMs }: Placeable, backoffMs: number): boolean {
    const { timeouts, retry } = target!.snapshot;
    if (timeouts.responseMs === 0 || requestEndMs === 0) return true;
    const leftMs = timeouts.responseMs - (this.#context.clock.nowMs() - requestEndMs) - backoffMs;
    return leftMs >= Math.max(MIN_TIME_MS, (retry.perTryTimeoutMs || timeouts.responseMs / 2) / 4);
  }
}

function factsOf(item: Placeable, kind: RetryFacts['kind'], wasSent: boolean): RetryFacts {
  return {
    kind,
    wasSent,
    isIdempotent: item.isIdempotent,
    isBodyReplayable: item.isReplayable,
    hasResponseBegun: item.hasResponseBegun,
    mayWait: item.target!.snapshot.whenAllDown === 'wait',
    retriesSoFar: item.placement.retries,
  };
}

function refuse({ placement }: Placeable, verdict: RetryVerdict): typeof NO_RETRY {
  placement.retryVerdict = verdict;
  placement.startsOver = false;
  return NO_RETRY;
}
