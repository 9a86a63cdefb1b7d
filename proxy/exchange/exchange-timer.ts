// The timer of an exchange while an endpoint works on it. One timer, armed per phase: when it fires, it is checked
// against the last activity, instead of being moved at every chunk. Thread: worker.

import type { FailureKind } from '../../core/failure.ts';
import { mayRepeat } from '../placement/retries.ts';
import type { Exchange } from './exchange.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext } from './forwarding-context.ts';

/**
 * A result of the timer: a failure, or `hedge` (time for a second attempt), or `overdue` (no response for far longer than
 * usual), or `deadline` (of a gRPC call).
 */
export type Due = FailureKind | 'hedge' | 'overdue' | 'deadline';

/** Arms the timer for the current phase: the connection, the response head, or the next byte. */
export function armTimer(context: ForwardingContext, exchange: Exchange): void {
  const nowMs = context.clock.nowMs();
  const { timing, timer } = exchange;
  timing.active(nowMs);
  if (exchange.state === STATE.sent && exchange.body.isEnded) timing.requestEnded(nowMs);
  const waitMs = nextCheckMs(context, exchange, nowMs);
  // A timer that fires too early is armed again then.
  if (waitMs > 0 && timer.isArmed() && timer.deadlineMs <= nowMs + waitMs) return;
  if (waitMs > 0) context.wheel.arm(timer, waitMs, nowMs);
  else stopTimer(context, exchange);
}

export function stopTimer({ wheel }: ForwardingContext, exchange: Exchange): void {
  wheel.cancel(exchange.timer);
}

/** Returns the result that is due after the timer fired, or null. Arms the timer again where one may follow. */
export function takeDue(context: ForwardingContext, exchange: Exchange): Due | null {
  const nowMs = context.clock.nowMs();
  const due = dueAt(context, exchange, nowMs);
  if (due === 'overdue') exchange.tries.markOverdue();
  if (due === 'hedge') context.placer.hedging.claim(exchange);
  if (due !== null && due !== 'overdue' && due !== 'hedge') return due;
  const waitMs = nextCheckMs(context, exchange, nowMs);
  if (waitMs > 0) context.wheel.arm(exchange.timer, waitMs, nowMs);
  return due;
}

function dueAt(context: ForwardingContext, exchange: Exchange, nowMs: number): Due | null {
  const { deadlineMs } = exchange.timing;
  if (deadlineMs > 0 && nowMs >= deadlineMs) return 'deadline';
  const { timeouts } = exchange.target!.snapshot;
  const idledMs = nowMs - exchange.timing.activeMs;
  if (!isAwaitingEndpoint(exchange)) {
    const isOver = timeouts.idleMs > 0 && isEndpointsTurn(exchange) && idledMs >= timeouts.idleMs;
    return isOver ? 'idle-timeout' : null;
  }
  if (responseLeftMs(exchange, nowMs) <= 0) return 'response-timeout';
  const tryMs = tryTimeoutMs(exchange);
  if (tryMs > 0 && idledMs >= tryMs) return 'try-timeout';
  if (idledMs >= context.placer.hedging.delayMs(exchange, nowMs)) return 'hedge';
  return idledMs >= overdueAfterMs(context, exchange, nowMs) ? 'overdue' : null;
}

/** ms until the next result may be due; 0 where none ever is. */
function nextCheckMs(context: ForwardingContext, exchange: Exchange, nowMs: number): number {
  const phaseMs = phaseCheckMs(context, exchange, nowMs);
  const { deadlineMs } = exchange.timing;
  if (deadlineMs === 0) return phaseMs;
  const leftMs = Math.max(1, Math.ceil(deadlineMs - nowMs));
  return phaseMs === 0 ? leftMs : Math.min(phaseMs, leftMs);
}

function phaseCheckMs(context: ForwardingContext, exchange: Exchange, nowMs: number): number {
  const { timeouts } = exchange.target!.snapshot;
  const passedMs = nowMs - exchange.timing.activeMs;
  if (!isAwaitingEndpoint(exchange)) {
    const idledMs = isEndpointsTurn(exchange) ? passedMs : 0;
    return timeouts.idleMs > 0 ? Math.max(1, timeouts.idleMs - idledMs) : 0;
  }
  const tryMs = tryTimeoutMs(exchange) || Infinity;
  const hedgeMs = context.placer.hedging.delayMs(exchange, nowMs);
  const early = Math.min(tryMs, hedgeMs, overdueAfterMs(context, exchange, nowMs)) - passedMs;
  const next = Math.min(early, responseLeftMs(exchange, nowMs));
  return next === Infinity ? 0 : Math.max(1, next);
}

/** The rest of the response timeout, which begins when an endpoint first has the whole request. */
function responseLeftMs({ target, requestEndMs }: Exchange, nowMs: number): number {
  const { responseMs } = target!.snapshot.timeouts;
  return responseMs > 0 && requestEndMs > 0 ? responseMs - (nowMs - requestEndMs) : Infinity;
}

/** ms after which the response of the running attempt is overdue; Infinity where that was recorded already. */
function overdueAfterMs({ baselines }: ForwardingContext, { tries, target }: Exchange, nowMs: number): number {
  if (tries.wasOverdue) return Infinity;
  return baselines.overdueMs(tries.endpoint!.slot, target!.snapshot.passive.stallMs, nowMs);
}

/**
 * The timeout of the running attempt in ms; 0 where none is configured or no other attempt may follow: a slow response
 * is better than none, and the response timeout spans all attempts. Connecting has its own timeout.
 */
function tryTimeoutMs(exchange: Exchange): number {
  const { retry, endpoints } = exchange.target!.snapshot;
  if (retry.perTryTimeoutMs === 0 || exchange.tries.isUncut || exchange.state === STATE.leasing) return 0;
  return retry.onTimeout && endpoints.length > 1 && mayRepeat(exchange) ? retry.perTryTimeoutMs : 0;
}

/** Whether a connection is being leased, or an endpoint has the whole request and no head was received. */
function isAwaitingEndpoint({ state, requestEndMs }: Exchange): boolean {
  return state === STATE.leasing || (state === STATE.sent && requestEndMs > 0);
}

/** Whether the endpoint must send or take the next byte. The client side watches for slow clients itself. */
function isEndpointsTurn({ state, body, tries }: Exchange): boolean {
  if (state === STATE.sent || state === STATE.uploading) return body.isHeld;
  return state === STATE.relaying && tries.attempt?.isHeld !== true;
}
