// How long an exchange waits for its endpoint: one timer, armed anew at each phase, checked against the last activity
// when it fires instead of being moved at every chunk. Thread: worker.

import type { FailureKind } from '../../core/failure.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Exchange } from './exchange.ts';
import type { Hedging } from './hedging.ts';
import { mayRepeat } from './retry-facts.ts';

export class Waiting {
  readonly #context: ForwardingContext;
  readonly #hedging: Hedging;

  constructor(context: ForwardingContext, hedging: Hedging) {
    this.#context = context;
    this.#hedging = hedging;
  }

  /** Arms the timer for what the exchange waits for now: a connection, the head, or the next byte. */
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
    if (due === 'overdue') exchange.wasMarkedStalled = true;
    if (due === 'hedge') exchange.wasHedged = true;
    if (due !== null && due !== 'overdue' && due !== 'hedge') return due;
    const waitMs = this.#nextCheckMs(exchange, nowMs);
    if (waitMs > 0) this.#context.wheel.arm(exchange.timer, waitMs, nowMs);
    return due;
  }

  /** Arms the timer for the end of a pause before the next try. */
  pause(exchange: Exchange, ms: number): void {
    exchange.state = 'pausing';
    this.#context.wheel.arm(exchange.timer, ms, this.#context.clock.nowMs());
  }

  #dueAt(exchange: Exchange, nowMs: number): FailureKind | 'hedge' | 'overdue' | null {
    const { timeouts } = exchange.target!.snapshot;
    if (!isAwaitingHead(exchange) && exchange.state !== 'placing') {
      const isOver = timeouts.idleMs > 0 && isEndpointsTurn(exchange) && nowMs - exchange.activeMs >= timeouts.idleMs;
      return isOver ? 'idle-timeout' : null;
    }
    const waitedMs = nowMs - exchange.activeMs;
    if (this.#responseLeftMs(exchange, nowMs) <= 0) return 'response-timeout';
    const tryMs = this.#tryMs(exchange);
    if (tryMs > 0 && waitedMs >= tryMs) return 'try-timeout';
    if (waitedMs >= this.#hedging.delayMs(exchange, nowMs)) return 'hedge';
    return waitedMs >= this.#overdueMs(exchange) ? 'overdue' : null;
  }

  /** ms until the next thing may be due; 0 where nothing ever is. */
  #nextCheckMs(exchange: Exchange, nowMs: number): number {
    const { timeouts } = exchange.target!.snapshot;
    const passedMs = nowMs - exchange.activeMs;
    if (!isAwaitingHead(exchange) && exchange.state !== 'placing') {
      const idledMs = isEndpointsTurn(exchange) ? passedMs : 0;
      return timeouts.idleMs > 0 ? Math.max(1, timeouts.idleMs - idledMs) : 0;
    }
    const tryMs = this.#tryMs(exchange) || Infinity;
    const early = Math.min(tryMs, this.#hedging.delayMs(exchange, nowMs), this.#overdueMs(exchange)) - passedMs;
    const next = Math.min(early, this.#responseLeftMs(exchange, nowMs));
    return next === Infinity ? 0 : Math.max(1, next);
  }

  /** What is left of the response timeout, which begins when a whole request is with an endpoint for the first time. */
  #responseLeftMs({ target, requestEndMs }: Exchange, nowMs: number): number {
    const { responseMs } = target!.snapshot.timeouts;
    return responseMs > 0 && requestEndMs > 0 ? responseMs - (nowMs - requestEndMs) : Infinity;
  }

  /** When the endpoint of the current attempt counts as silent; Infinity where that is known already. */
  #overdueMs(exchange: Exchange): number {
    return exchange.wasMarkedStalled ? Infinity : this.#context.paces.overdueMs(exchange.endpoint!.slot);
  }

  /**
   * Patience with one try in ms; 0 where no other try may follow, so that a request that can't be repeated keeps the
   * whole response timeout. Without a setting it is half of that. Connecting has a timeout of its own.
   */
  #tryMs(exchange: Exchange): number {
    const { retry, timeouts } = exchange.target!.snapshot;
    if (exchange.isUncut || exchange.state === 'placing') return 0;
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
