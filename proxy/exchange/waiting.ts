// How long an exchange waits for its endpoint: one timer, armed anew at each phase, checked against the last activity
// when it fires instead of being moved at every chunk. Thread: worker.

import type { FailureKind } from '../../core/failure.ts';
import { randomBelow } from '../../core/random.ts';
import { WheelTimer } from '../../core/timer-wheel.ts';
import type { ForwardingContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { Hedging } from './hedging.ts';
import { mayRepeat } from './retry-facts.ts';

/** First and longest span of the jittered back-off before the only endpoint is asked again (ALGORITHMS 4.1). */
const BACK_OFF_FIRST_MS = 25;
const BACK_OFF_MOST_MS = 250;

export class Waiting {
  readonly #context: ForwardingContext;
  readonly #hedging: Hedging;

  constructor(context: ForwardingContext, hedging: Hedging) {
    this.#context = context;
    this.#hedging = hedging;
  }

  /** Arms the timer for what the exchange waits for now: the head, or the next byte. */
  forEndpoint(exchange: Exchange): void {
    const nowMs = this.#context.clock.nowMs();
    exchange.activeMs = nowMs;
    if (exchange.state === 'sent' && exchange.isBodyEnded && exchange.requestEndMs === 0) exchange.requestEndMs = nowMs;
    const waitMs = this.#nextCheckMs(exchange, nowMs);
    // Armed early enough: when it fires too early it is armed anew.
    if (waitMs > 0 && exchange.timer.isArmed() && exchange.timer.deadlineMs <= nowMs + waitMs) return;
    if (waitMs > 0) this.#context.wheel.arm(exchange.timer, waitMs, nowMs);
    else this.stop(exchange);
  }

  stop(exchange: Exchange): void {
    this.#context.wheel.cancel(exchange.timer);
  }

  /**
   * Called when the timer fired: what is due, or null. The timer is armed again for what may become due after it.
   * 'overdue': the endpoint is silent for far longer than usual; 'hedge': time for a second try beside the first.
   */
  due(exchange: Exchange): FailureKind | 'hedge' | 'overdue' | null {
    const nowMs = this.#context.clock.nowMs();
    const due = this.#dueAt(exchange, nowMs);
    if (due === 'overdue') exchange.wasFoundOverdue = true;
    if (due === 'hedge') exchange.wasHedged = true;
    if (due !== null && due !== 'overdue' && due !== 'hedge') return due;
    const waitMs = this.#nextCheckMs(exchange, nowMs);
    if (waitMs > 0) this.#context.wheel.arm(exchange.timer, waitMs, nowMs);
    return due;
  }

  /** Calls `again` after a jittered pause, unless the exchange ends before. */
  backOff(exchange: Exchange, again: () => void): void {
    const spanMs = Math.min(BACK_OFF_MOST_MS, BACK_OFF_FIRST_MS * (2 ** exchange.attempts - 1));
    const timer = new WheelTimer(() => {
      if (!exchange.isDone) again();
    });
    this.#context.wheel.arm(timer, 1 + randomBelow(this.#context.random, spanMs), this.#context.clock.nowMs());
  }

  #dueAt(exchange: Exchange, nowMs: number): FailureKind | 'hedge' | 'overdue' | null {
    const { timeouts } = exchange.target!.snapshot;
    if (!isAwaitingHead(exchange)) {
      const isOver = timeouts.idleMs > 0 && isEndpointsTurn(exchange) && nowMs - exchange.activeMs >= timeouts.idleMs;
      return isOver ? 'idle-timeout' : null;
    }
    const waitedMs = nowMs - exchange.activeMs;
    if (timeouts.responseMs > 0 && nowMs - exchange.requestEndMs >= timeouts.responseMs) return 'response-timeout';
    const tryMs = this.#tryMs(exchange);
    if (tryMs > 0 && waitedMs >= tryMs) return 'try-timeout';
    if (waitedMs >= this.#hedging.delayMs(exchange, nowMs)) return 'hedge';
    return waitedMs >= this.#overdueMs(exchange) ? 'overdue' : null;
  }

  /** ms until the next thing may be due; 0 where nothing ever is. */
  #nextCheckMs(exchange: Exchange, nowMs: number): number {
    const { timeouts } = exchange.target!.snapshot;
    const passedMs = nowMs - exchange.activeMs;
    if (!isAwaitingHead(exchange)) {
      const idledMs = isEndpointsTurn(exchange) ? passedMs : 0;
      return timeouts.idleMs > 0 ? Math.max(1, timeouts.idleMs - idledMs) : 0;
    }
    const tryMs = this.#tryMs(exchange) || Infinity;
    const responseMs = timeouts.responseMs > 0 ? timeouts.responseMs - (nowMs - exchange.requestEndMs) : Infinity;
    const early = Math.min(tryMs, this.#hedging.delayMs(exchange, nowMs), this.#overdueMs(exchange)) - passedMs;
    const next = Math.min(early, responseMs);
    return next === Infinity ? 0 : Math.max(1, next);
  }

  /** When the endpoint of the current attempt counts as silent; Infinity where that is known already. */
  #overdueMs(exchange: Exchange): number {
    return exchange.wasFoundOverdue ? Infinity : this.#context.paces.overdueMs(exchange.endpoint!.slot);
  }

  /**
   * Patience with one try in ms; 0 where no other try may follow, so that a request that can't be repeated keeps the
   * whole response timeout. Without a setting it is half of that.
   */
  #tryMs(exchange: Exchange): number {
    const { retry, timeouts } = exchange.target!.snapshot;
    if (!retry.onTimeout || exchange.target!.snapshot.endpoints.length < 2 || !mayRepeat(exchange)) return 0;
    return retry.perTryTimeoutMs > 0 ? retry.perTryTimeoutMs : timeouts.responseMs / 2;
  }
}

/** The whole request is with the endpoint, and no head has come. */
function isAwaitingHead(exchange: Exchange): boolean {
  return exchange.state === 'sent' && exchange.requestEndMs > 0;
}

/** Whether the next move is the endpoint's: a client that takes or sends nothing is watched by its own side. */
function isEndpointsTurn(exchange: Exchange): boolean {
  if (exchange.state === 'sent') return exchange.isBodyHeld;
  return exchange.state === 'relaying' && exchange.attempt?.isHeld !== true;
}
