// How long an exchange waits for its endpoint: one timer, armed anew at each phase, checked against the last activity
// when it fires instead of being moved at every chunk. Thread: worker.

import type { FailureKind } from '../../core/failure.ts';
import { randomBelow } from '../../core/random.ts';
import { WheelTimer } from '../../core/timer-wheel.ts';
import type { ForwardingContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { mayRepeat } from './retry-facts.ts';

/** First and longest span of the jittered back-off before the only endpoint is asked again (ALGORITHMS 4.1). */
const BACK_OFF_FIRST_MS = 25;
const BACK_OFF_MOST_MS = 250;

export class Waiting {
  readonly #context: ForwardingContext;

  constructor(context: ForwardingContext) {
    this.#context = context;
  }

  /** Arms the timer for what the exchange waits for now: the head, or the next byte. */
  forEndpoint(exchange: Exchange): void {
    const nowMs = this.#context.clock.nowMs();
    exchange.activeMs = nowMs;
    if (exchange.state === 'sent' && exchange.isBodyEnded && exchange.requestEndMs === 0) exchange.requestEndMs = nowMs;
    const waitMs = this.#nextCheckMs(exchange, nowMs);
    if (waitMs > 0) this.#context.wheel.arm(exchange.timer, waitMs, nowMs);
    else this.stop(exchange);
  }

  stop(exchange: Exchange): void {
    this.#context.wheel.cancel(exchange.timer);
  }

  /** Called when the timer fired: what is overdue, or null (the timer is armed again where something may become so). */
  overdue(exchange: Exchange): FailureKind | null {
    const nowMs = this.#context.clock.nowMs();
    const kind = this.#overdueAt(exchange, nowMs);
    if (kind !== null) return kind;
    const waitMs = this.#nextCheckMs(exchange, nowMs);
    if (waitMs > 0) this.#context.wheel.arm(exchange.timer, waitMs, nowMs);
    return null;
  }

  /** Calls `again` after a jittered pause, unless the exchange ends before. */
  backOff(exchange: Exchange, again: () => void): void {
    const spanMs = Math.min(BACK_OFF_MOST_MS, BACK_OFF_FIRST_MS * (2 ** exchange.attempts - 1));
    const timer = new WheelTimer(() => {
      if (!exchange.isDone) again();
    });
    this.#context.wheel.arm(timer, 1 + randomBelow(this.#context.random, spanMs), this.#context.clock.nowMs());
  }

  #overdueAt(exchange: Exchange, nowMs: number): FailureKind | null {
    const { timeouts } = exchange.target!.snapshot;
    if (!isAwaitingHead(exchange)) {
      const isOver = timeouts.idleMs > 0 && isEndpointsTurn(exchange) && nowMs - exchange.activeMs >= timeouts.idleMs;
      return isOver ? 'idle-timeout' : null;
    }
    if (timeouts.responseMs > 0 && nowMs - exchange.requestEndMs >= timeouts.responseMs) return 'response-timeout';
    const tryMs = this.#tryMs(exchange);
    return tryMs > 0 && nowMs - exchange.activeMs >= tryMs ? 'try-timeout' : null;
  }

  #nextCheckMs(exchange: Exchange, nowMs: number): number {
    const { timeouts } = exchange.target!.snapshot;
    if (!isAwaitingHead(exchange)) {
      const passedMs = isEndpointsTurn(exchange) ? nowMs - exchange.activeMs : 0;
      return timeouts.idleMs > 0 ? Math.max(1, timeouts.idleMs - passedMs) : 0;
    }
    const tryMs = this.#tryMs(exchange);
    const leftOfTry = tryMs > 0 ? Math.max(1, tryMs - (nowMs - exchange.activeMs)) : Number.POSITIVE_INFINITY;
    const leftMs = timeouts.responseMs > 0 ? Math.max(1, timeouts.responseMs - (nowMs - exchange.requestEndMs)) : 0;
    if (leftMs === 0) return Number.isFinite(leftOfTry) ? leftOfTry : 0;
    return Math.min(leftMs, leftOfTry);
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
  return exchange.state === 'relaying' && exchange.attempt?.isHeld !== true;
}
