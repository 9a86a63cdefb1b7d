// Whether and when another try follows one that has failed: the rules of retry.ts, then what costs to ask: another
// endpoint, the time that is left, the budget (docs/algorithms.md 4.1, 4.2). Thread: worker.

import { PICK_FAILURE, wasTried } from '../../core/balancer.ts';
import type { RetryVerdict } from '../../core/exchange-record.ts';
import type { FailureKind } from '../../core/failure.ts';
import { randomBelow } from '../../core/random.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { RetryAfterBackoff } from '../placement/retry-after-backoff.ts';
import { type Exchange, MAX_TRIED } from './exchange.ts';
import { retryVerdict } from '../placement/retry.ts';
import { mayRepeat, retryFactsOf } from './retry-facts.ts';
import { withdrawForRetry } from '../placement/retry-budget.ts';

/** First and longest span of the jittered pause before a try that follows one which was sent (full jitter). */
const PAUSE_FIRST_MS = 25;
const PAUSE_MOST_MS = 250;
/** A Retry-After of the only endpoint that is left is waited for up to this; beyond it the client is told instead. */
const REST_MOST_MS = 1000;
/** A try that has less time than this, or than a quarter of a try's patience, isn't worth the endpoint's work. */
const LEAST_TIME_MS = 10;

/** No other try follows; the exchange's `retryVerdict` says why. */
export const NO_RETRY = -1;

export class Retrying {
  readonly rests: RetryAfterBackoff;
  readonly #context: ForwardingContext;

  constructor(context: ForwardingContext) {
    this.#context = context;
    this.rests = new RetryAfterBackoff(context.region.capacity.endpoints);
  }

  /**
   * Decides after a failed try, or a status. Returns the ms to pause before the next try, or NO_RETRY. Takes the try
   * out of the budget.
   * @param kind what failed; a status that is retried is 'status'
   */
  pauseAfter(exchange: Exchange, kind: FailureKind | 'status', wasSent: boolean): number {
    const { snapshot } = exchange.target!;
    exchange.retryVerdict = retryVerdict(retryFactsOf(exchange, kind, wasSent), snapshot.retry);
    if (exchange.retryVerdict.startsWith('refused')) return NO_RETRY;
    // What never reached an endpoint goes on at once, and a keep-alive race is nobody's fault: neither adds load.
    const isHarmless = !wasSent || kind === 'stale-connection';
    const pauseMs = isHarmless ? 0 : this.#pauseMs(exchange, kind);
    if (pauseMs === NO_RETRY) return refuse(exchange, 'refused-no-other-endpoint');
    if (!this.#hasTime(exchange, pauseMs)) return refuse(exchange, 'refused-no-time');
    const isFree = kind === 'stale-connection' || (!wasSent && snapshot.whenAllDown === 'wait');
    if (isFree || withdrawForRetry(this.#context.region, snapshot.index)) return pauseMs;
    return refuse(exchange, 'refused-budget');
  }

  /** A pause of the exchange is over: where it waited for somebody whom it had asked before, it may ask again. */
  resume(exchange: Exchange): void {
    if (!exchange.startsOver) return;
    exchange.startsOver = false;
    exchange.triedCount = 0;
    this.#avoidResting(exchange);
  }

  /** Uniform between 1 and 25, 75, 175 and then always 250 ms, so that what failed together isn't tried together. */
  jitterMs(exchange: Exchange): number {
    const retries = Math.max(1, exchange.attempts - exchange.hedges);
    const spanMs = Math.min(PAUSE_MOST_MS, PAUSE_FIRST_MS * (2 ** retries - 1));
    return 1 + randomBelow(this.#context.random, spanMs);
  }

  /** Elsewhere after a short pause; where nobody else is left, the first to have rested, if that is soon enough. */
  #pauseMs(exchange: Exchange, kind: FailureKind | 'status'): number {
    this.#avoidResting(exchange);
    const found = this.#lookAround(exchange);
    if (found >= 0) return this.jitterMs(exchange);
    if (kind === 'status') return this.#restMs(exchange);
    const waits = exchange.target!.snapshot.whenAllDown === 'wait';
    exchange.startsOver = waits && found === PICK_FAILURE.allTried;
    return waits || found === PICK_FAILURE.allBusy ? this.jitterMs(exchange) : NO_RETRY;
  }

  /** A slot that could take the exchange now, or one of PICK_FAILURE. Reserves nothing. */
  #lookAround(exchange: Exchange): number {
    exchange.nowMs = this.#context.clock.nowMs();
    exchange.mayRetry = mayRepeat(exchange);
    exchange.mayUseLastResort = true;
    return exchange.target!.picker.pick(exchange);
  }

  /** No retry goes to an endpoint before the time that it has asked for: it counts as tried. */
  #avoidResting(exchange: Exchange): void {
    const nowMs = this.#context.clock.nowMs();
    for (const { slot } of exchange.target!.snapshot.endpoints) {
      if (exchange.triedCount >= MAX_TRIED) return;
      if (this.rests.leftMs(slot, nowMs) === 0 || wasTried(exchange, slot)) continue;
      exchange.triedSlots[exchange.triedCount++] = slot;
    }
  }

  #restMs(exchange: Exchange): number {
    const nowMs = this.#context.clock.nowMs();
    let leastMs = Infinity;
    for (const { slot } of exchange.target!.snapshot.endpoints) {
      const leftMs = this.rests.leftMs(slot, nowMs);
      if (leftMs > 0) leastMs = Math.min(leastMs, leftMs);
    }
    if (leastMs > REST_MOST_MS) return NO_RETRY;
    exchange.startsOver = true;
    return leastMs;
  }

  /** Whether a try that begins after the pause could still be answered within the response timeout. */
  #hasTime(exchange: Exchange, pauseMs: number): boolean {
    const { timeouts, retry } = exchange.target!.snapshot;
    if (timeouts.responseMs === 0 || exchange.requestEndMs === 0) return true;
    const leftMs = timeouts.responseMs - (this.#context.clock.nowMs() - exchange.requestEndMs) - pauseMs;
    const tryMs = Math.min(retry.perTryTimeoutMs || Infinity, timeouts.responseMs / 2);
    return leftMs >= Math.max(LEAST_TIME_MS, tryMs / 4);
  }
}

function refuse(exchange: Exchange, verdict: RetryVerdict): typeof NO_RETRY {
  exchange.retryVerdict = verdict;
  exchange.startsOver = false;
  return NO_RETRY;
}
