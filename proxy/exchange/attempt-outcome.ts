// The outcomes of attempts: counters, latency, health signals and the trial of a half-open endpoint. Thread: worker.

import type { ResponseHead } from '../../core/head.ts';
import { type Failure, type Signal, signalOfStatus } from '../../core/failure.ts';
import { E_LAST_SUCCESS } from '../../core/memory/layout.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { countAttempt, countBytes, countFailure, countHead, countLease, countOutcome } from '../account/account.ts';
import { returnToken } from '../placement/place.ts';
import { markSuspect, reportSignal } from '../placement/signals.ts';
import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext } from './forwarding-context.ts';

type ExchangeAttempt = Attempt<Exchange>;

/** Records an attempt that begins. */
export function recordStart({ lanes }: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  countAttempt(lanes.endpoint(attempt.endpoint.slot), exchange.attempts > 1);
}

/** Records a response head. Returns the signal of its status. */
export function recordHead(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  head: Pick<ResponseHead, 'status' | 'field'>,
): Signal {
  const { clock, placer } = context;
  const { status } = head;
  const nowMs = clock.nowMs();
  exchange.timing.headReceived(nowMs);
  placer.hedging.observe(exchange.target!.snapshot, nowMs - attempt.leasedMs, nowMs);
  const retryAfter = status === 429 || status === 503 ? head.field('retry-after') : undefined;
  const signal = signalOfStatus(status, retryAfter !== undefined);
  const retryAfterMs = readRetryAfter(retryAfter, clock.wallMs());
  if (retryAfterMs > 0) placer.retries.observeRetryAfter(attempt.endpoint.slot, retryAfterMs, nowMs);
  recordAnswer(context, exchange, attempt, { status, signal, retryAfterMs });
  return signal;
}

/** Records an upgrade: the endpoint has switched protocols, or sent a final status instead. */
export function recordUpgrade(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  status: number,
): void {
  exchange.timing.headReceived(context.clock.nowMs());
  const signal = status === 101 ? 'ok' : signalOfStatus(status, false);
  recordAnswer(context, exchange, attempt, { status, signal, retryAfterMs: 0 });
}

interface Answer {
  readonly status: number;
  readonly signal: Signal;
  readonly retryAfterMs: number;
}

function recordAnswer(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt, answer: Answer): void {
  const { status, signal } = answer;
  const { slot } = attempt.endpoint;
  const lane = context.lanes.endpoint(slot);
  const headMs = exchange.timing.headMs - (attempt.leasedMs || attempt.beganMs);
  countLease(lane, attempt.isReused);
  countHead(lane, status, headMs);
  countOutcome(lane, signal);
  observeOutcome(context, exchange, slot, signal, headMs, answer.retryAfterMs);
  context.baselines.responded(slot);
  if (signal === 'ok') recordGoodAnswer(context, exchange, attempt, headMs);
  reportSignal(context.signals, exchange.target!.snapshot, attempt.endpoint, signal, attempt.isTrial);
  attempt.endTrial();
}

/** An adaptive limit measures from the whole request on: a slow upload is not the endpoint's time. */
function recordGoodAnswer(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  headMs: number,
): void {
  const { slot } = attempt.endpoint;
  context.baselines.answered(slot, headMs, exchange.timing.headMs);
  if (!exchange.target!.snapshot.limits.isAdaptive) return;
  const sentMs = Math.max(attempt.leasedMs || attempt.beganMs, exchange.requestEndMs);
  context.lanes.endpoint(slot).sampleLatency(exchange.timing.headMs - sentMs);
}

/** Records the end of a whole response. */
export function recordEnd({ lanes }: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  countBytes(lanes.endpoint(attempt.endpoint.slot), exchange.bytesReceived, exchange.bytesSent);
}

/** Records a failed attempt. */
export function recordFailure(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  failure: Failure,
): void {
  const { endpoint } = attempt;
  const { signal } = failure;
  exchange.tries.failed(failure);
  countFailure(context.lanes.endpoint(endpoint.slot), failure);
  observeOutcome(context, exchange, endpoint.slot, signal, context.clock.nowMs() - attempt.beganMs, 0);
  reportSignal(context.signals, exchange.target!.snapshot, endpoint, signal, attempt.isTrial);
  if (signal === 'client' || signal === 'staleConnection') abandonTrial(context, attempt);
}

/** Cancels an attempt without a verdict about its endpoint: the client left, or another attempt was faster. */
export function cancelAttempt(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt | null): void {
  if (attempt === null || attempt.isOver) return;
  attempt.abort();
  recordEnd(context, exchange, attempt);
  abandonTrial(context, attempt);
}

/**
 * Records that a response is overdue, or a connection. Where the endpoint responds to no request, here or in another
 * worker, it seems to have stopped. One request alone is slow; a connection has no such excuse.
 */
export function recordOverdue(context: ForwardingContext, exchange: Exchange, endpoint: EndpointSnapshot): void {
  const { baselines, region, clock } = context;
  const { slot } = endpoint;
  const isSilent = baselines.becameOverdue(slot) || exchange.state === STATE.leasing;
  const lastSuccessMs = region.words[region.endpointWord(slot) + E_LAST_SUCCESS]!;
  const quietMs = ((clock.wallMs() - region.originWallMs) | 0) - lastSuccessMs;
  if (isSilent && quietMs >= baselines.overdueMs(slot, clock.nowMs())) markStalled(context, exchange, endpoint);
}

/** Marks an endpoint that seems to have stopped: requests without a key avoid it until it is checked. */
export function markStalled(context: ForwardingContext, exchange: Exchange, endpoint: EndpointSnapshot): void {
  markSuspect(context.signals, exchange.target!.snapshot, endpoint, 'slow');
}

function abandonTrial({ region, worker }: ForwardingContext, attempt: ExchangeAttempt): void {
  if (!attempt.isTrial) return;
  attempt.endTrial();
  returnToken(region, worker, attempt.endpoint.slot);
}

/** Reports an outcome to the balancer of the upstream, where that weighs endpoints by outcomes. */
function observeOutcome(
  { clock }: ForwardingContext,
  exchange: Exchange,
  slot: number,
  signal: Signal,
  ms: number,
  retryAfterMs: number,
): void {
  const { observer } = exchange.target!;
  if (observer === null || signal === 'client' || signal === 'staleConnection') return;
  const nowMs = clock.nowMs();
  if (signal === 'ok') observer.answered(slot, ms, nowMs);
  else if (signal === 'overload') observer.overloaded(slot, ms, retryAfterMs, nowMs);
  else observer.failed(slot, ms, nowMs);
}

/**
 * The ms of a Retry-After: seconds or an HTTP date (RFC 9110 section 10.2.3); 0 where it is absent or unreadable.
 * @param wallMs ms since 1970
 */
export function readRetryAfter(value: string | undefined, wallMs: number): number {
  if (value === undefined) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const atMs = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - wallMs);
}
