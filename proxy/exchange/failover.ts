// Deviations from the request path: failed, slow and hedged attempts, clients that leave, reloads that cut. Each ends in
// another attempt, a local reply or a visible cut. Thread: worker.

import type { ClientGone } from '../../core/exchange-contract.ts';
import { AVAILABILITY } from '../../core/availability.ts';
import { E_AVAILABILITY } from '../../core/memory/layout.ts';
import { type Failure, failureOf } from '../../core/failure.ts';
import type { Termination } from '../../core/termination.ts';
import { mayRepeat, NO_RETRY } from '../placement/retries.ts';
import type { Attempt } from './attempt.ts';
import { cancelAttempt, markStalled, recordFailure, recordOverdue } from './attempt-outcome.ts';
import type { Exchange } from './exchange.ts';
import { logRetry } from './exchange-log.ts';
import { armTimer, stopTimer, takeDue } from './exchange-timer.ts';
import { STATE } from './exchange-state.ts';
import { DEADLINE_PASSED } from './grpc-call.ts';
import { endUpload } from './upload.ts';
import { expireWait } from './policy-phases.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { cutExchange, cutResponse, replyForFailure, replyLocally } from './respond.ts';

type ExchangeAttempt = Attempt<Exchange>;

/** A client that has sent or read nothing for this long has stalled. */
const CLIENT_STALL_MS = 1000;

/** At an endpoint without a known latency that is down, a response is overdue after this. */
const UNKNOWN_OVERDUE_MS = 1000;

/** An attempt has failed, and is over. */
export function attemptFailed(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  failure: Failure,
): void {
  if (exchange.state === STATE.uploading) return endUpload(context, exchange, attempt);
  const stall = clientStall(context, exchange, attempt, failure);
  if (stall !== null) return endForStall(context, exchange, attempt, stall);
  recordFailure(context, exchange, attempt, failure);
  if (exchange.tries.rival !== null) return leaveToRival(context, exchange, attempt);
  stopTimer(context, exchange);
  if (exchange.state === STATE.relaying) return cutResponse(exchange, failure);
  exchange.client.pauseBody();
  exchange.body.stopFlow();
  if (failure.isLasting) context.placer.markUnfit(exchange, attempt.endpoint.slot);
  const backoffMs = context.placer.backoffAfter(exchange, failure.kind, failure.wasSent);
  logRetry(context, exchange, failure.kind, backoffMs);
  if (backoffMs === NO_RETRY) replyForFailure(context, exchange, 'endpoint-gone');
  else context.placer.retryAfter(exchange, backoffMs);
}

/**
 * Whether the client had stalled before the attempt failed: it read nothing of the response, or sent nothing of its body.
 * Endpoints close such connections after a while, which is not their failure.
 */
function clientStall(
  { clock }: ForwardingContext,
  { state, body, timing }: Exchange,
  attempt: ExchangeAttempt,
  { kind }: Failure,
): 'upload' | 'download' | null {
  if (kind !== 'reset' && kind !== 'truncated') return null;
  if (clock.nowMs() - timing.activeMs < CLIENT_STALL_MS) return null;
  if (state === STATE.relaying && attempt.isHeld) return 'download';
  return state === STATE.sent && body.isFlowing && !body.isHeld && !body.isEnded ? 'upload' : null;
}

/** Ends an exchange whose client has stalled. The attempt counts as cancelled. */
function endForStall(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  stall: 'upload' | 'download',
): void {
  recordFailure(context, exchange, attempt, failureOf('cancelled', true));
  stopTimer(context, exchange);
  if (stall === 'upload') return replyLocally(context, exchange, 'body-timeout');
  exchange.response.endBy('clientTimeoutData');
  cutExchange(exchange);
}

/** Retries a response with a retryable status, where another attempt may follow. Returns whether one does. */
export function retryStatus(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  kind: 'status' | 'grpc-status',
): boolean {
  const backoffMs = context.placer.backoffAfter(exchange, kind, true);
  logRetry(context, exchange, kind, backoffMs);
  if (backoffMs === NO_RETRY) return false;
  attempt.abort();
  context.placer.retryAfter(exchange, backoffMs);
  return true;
}

/** The timer has fired. */
export function timerFired(context: ForwardingContext, exchange: Exchange): void {
  if (exchange.policies.isWaiting) return expireWait(context, exchange);
  if (exchange.state === STATE.queued || exchange.state === STATE.backoff) return context.placer.timerFired(exchange);
  const due = takeDue(context, exchange);
  if (due === null) return;
  if (due === 'hedge') return context.placer.placeHedge(exchange);
  if (due === 'deadline') return endAtDeadline(context, exchange);
  const attempt = exchange.tries.attempt!;
  if (due === 'overdue') return responseOverdue(context, exchange, attempt);
  if (due === 'try-timeout' && exchange.tries.rival === null) return tryTimedOut(context, exchange, attempt);
  if (due === 'response-timeout') cancelAttempt(context, exchange, exchange.tries.dropRival());
  attempt.abort();
  attemptFailed(context, exchange, attempt, failureOf(due, true));
}

/** The deadline of a gRPC call has passed: its client waits no longer, which says nothing about the endpoint. */
function endAtDeadline(context: ForwardingContext, exchange: Exchange): void {
  cancelAttempts(context, exchange);
  if (exchange.hasResponseBegun) cutResponse(exchange, DEADLINE_PASSED);
  else replyLocally(context, exchange, 'deadline-passed');
}

/** The endpoint at `slot` was found down: a request whose response is overdue there may leave it. */
export function endpointDown(context: ForwardingContext, exchange: Exchange, slot: number): void {
  const { attempt } = exchange.tries;
  if (exchange.state !== STATE.sent || attempt!.endpoint.slot !== slot) return;
  const nowMs = context.clock.nowMs();
  const knownMs = context.baselines.overdueMs(slot, exchange.target!.snapshot.passive.stallMs, nowMs);
  const overdueMs = knownMs === Infinity ? UNKNOWN_OVERDUE_MS : knownMs;
  if (nowMs - exchange.timing.activeMs >= overdueMs) leaveDownEndpoint(context, exchange, attempt!);
}

/** The response of the running attempt is overdue: a sign that the endpoint has stopped, or is down. */
function responseOverdue(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  const { region } = context;
  const isDown = region.words[region.endpointWord(attempt.endpoint.slot) + E_AVAILABILITY] === AVAILABILITY.down;
  if (!isDown) recordOverdue(context, exchange, attempt);
  else if (exchange.state === STATE.sent) leaveDownEndpoint(context, exchange, attempt);
}

/**
 * Repeats a request elsewhere whose endpoint is down, where it may be repeated and another endpoint is usable. Otherwise it
 * goes on waiting: an endpoint that shuts down in order refuses heartbeats and still answers.
 */
function leaveDownEndpoint(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  if (exchange.tries.rival !== null || !mayRepeat(exchange) || exchange.target!.picker.usableCount === 0) return;
  tryTimedOut(context, exchange, attempt);
}

/** Cuts a slow attempt only where another one follows: a late response is better than none. */
function tryTimedOut(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  const backoffMs = context.placer.backoffAfter(exchange, 'try-timeout', true);
  logRetry(context, exchange, 'try-timeout', backoffMs);
  if (backoffMs === NO_RETRY) {
    exchange.tries.keepUncut();
    armTimer(context, exchange);
    return recordOverdue(context, exchange, attempt);
  }
  attempt.abort();
  recordFailure(context, exchange, attempt, failureOf('try-timeout', true));
  context.placer.retryAfter(exchange, backoffMs);
}

// ---- hedges

/** `winner` has responded: where two attempts run, the other one is cancelled. */
export function settleRace(context: ForwardingContext, exchange: Exchange, winner: ExchangeAttempt): void {
  const { tries } = exchange;
  if (tries.rival === null) return;
  const isHedge = winner !== tries.rival;
  const loser = tries.settle(winner);
  if (isHedge) {
    context.placer.hedging.won(exchange);
    if (context.baselines.lostHedge(loser.endpoint.slot)) markStalled(context, exchange, loser.endpoint);
  }
  cancelAttempt(context, exchange, loser);
}

/** `loser` has failed and is over: the other attempt goes on, and may be hedged again. */
export function leaveToRival(context: ForwardingContext, exchange: Exchange, loser: ExchangeAttempt): void {
  const other = exchange.tries.drop(loser);
  if (exchange.state === STATE.sent && other.leasedMs === 0) exchange.enter(STATE.leasing);
  else if (exchange.state === STATE.leasing && other.leasedMs > 0) exchange.enter(STATE.sent);
  context.placer.hedging.allowAgain(exchange);
  armTimer(context, exchange);
}

// ---- clients

/** The client side has ended: its connection closed, or the client broke its own request. */
export function clientGone(context: ForwardingContext, exchange: Exchange, why: ClientGone): void {
  if (why !== 'closed' && why !== 'send-timeout') return rejectRequest(context, exchange, why);
  exchange.response.endBy(terminationOfAbort(exchange, why));
  cancelAttempts(context, exchange);
  cutExchange(exchange);
}

/** Rejects a request whose client broke its own rules: by a reply, or a cut where the response has begun. */
export function rejectRequest(
  context: ForwardingContext,
  exchange: Exchange,
  cause: 'body-timeout' | 'malformed-body' | 'body-too-large',
): void {
  cancelAttempts(context, exchange);
  if (exchange.hasResponseBegun) cutResponse(exchange, failureOf('cancelled', true));
  else replyLocally(context, exchange, cause);
}

/** Ends an exchange on which a policy failed while a body passed: by a reply, or a cut where the response has begun. */
export function cancelForPolicy(context: ForwardingContext, exchange: Exchange): void {
  cancelAttempts(context, exchange);
  if (!exchange.hasResponseBegun) return replyLocally(context, exchange, 'policy-failed');
  exchange.response.endBy('policyFailed');
  cutExchange(exchange);
}

/** Cuts a response whose rest a policy refuses. Its head has been sent. */
export function cutForPolicy(context: ForwardingContext, exchange: Exchange): void {
  cancelAttempts(context, exchange);
  exchange.response.endBy('responseTooLarge');
  cutExchange(exchange);
}

/** Ends an exchange whose grace period after a reload has expired. */
export function expireAfterReload(context: ForwardingContext, exchange: Exchange): void {
  if (exchange.state === STATE.tunnel) return exchange.tries.attempt!.closeTunnel();
  if (exchange.isDone || exchange.state === STATE.replied) return;
  cancelAttempts(context, exchange);
  if (!exchange.hasResponseBegun) return replyLocally(context, exchange, 'no-endpoint');
  exchange.response.endBy('drainedStream');
  cutExchange(exchange);
}

function cancelAttempts(context: ForwardingContext, exchange: Exchange): void {
  context.placer.cancel(exchange);
  stopTimer(context, exchange);
  cancelAttempt(context, exchange, exchange.tries.dropRival());
  cancelAttempt(context, exchange, exchange.tries.attempt);
}

/** By the phase in which the client left. */
function terminationOfAbort(exchange: Exchange, why: 'closed' | 'send-timeout'): Termination {
  if (why === 'send-timeout') return 'clientTimeoutData';
  switch (exchange.state) {
    case STATE.queued:
      return 'clientGoneQueue';
    case STATE.leasing:
      return 'clientGoneConnect';
    case STATE.sent:
    case STATE.backoff:
      return exchange.body.isEnded ? 'clientGoneHead' : 'clientGoneRequest';
    case STATE.routing:
      return 'clientGoneRequest';
    default:
      return 'clientGoneData';
  }
}
