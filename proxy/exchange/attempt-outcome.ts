// The outcomes of attempts: counters, latency, health signals and the trial of a half-open endpoint. Thread: worker.

import type { ResponseHead } from '../../core/head.ts';
import { type Failure, type Signal, signalOfStatus, SIGNALS } from '../../core/failure.ts';
import { E_LAST_SUCCESS } from '../../core/memory/layout.ts';
import { readRetryAfter } from '../../core/retry-after.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { countAttempt, countBytes, countFailure, countHead, countLease, countOutcome } from '../account/account.ts';
import { returnToken } from '../placement/place.ts';
import { markSuspect, reportSignal } from '../placement/signals.ts';
import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext } from './forwarding-context.ts';

/** Stamps in shared memory are whole ms of the wall clock. */
const STAMP_ERROR_MS = 2;

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
  const { status } = answer;
  const { slot } = attempt.endpoint;
  const nowMs = context.clock.nowMs();
  const signal = evidenceOf(context, exchange, attempt, answer.signal);
  const lane = context.lanes.endpoint(slot);
  const headMs = latencyOf(exchange, attempt);
  countLease(lane, attempt.isReused);
  countHead(lane, status, headMs);
  if (headMs >= 0) observeOutcome(context, exchange, slot, signal, headMs, answer.retryAfterMs);
  if (signal === 'ok' && headMs >= 0) recordGoodAnswer(context, exchange, attempt, headMs);
  context.baselines.responded(slot, nowMs);
  const { snapshot } = exchange.target!;
  const counts = reportSignal(context.signals, snapshot, attempt.endpoint, signal, attempt.isTrial, exchange);
  if (counts) countOutcome(lane, signal);
  if (SIGNALS[signal].window === 'ignore') abandonTrial(context, attempt);
  else attempt.endTrial();
}

/**
 * The signal as evidence about the endpoint. A failure before the client has sent its whole request is the client's as
 * likely as the endpoint's (servers end slow uploads), and a timeout while the endpoint answers others is a slow URL.
 */
function evidenceOf(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt, signal: Signal): Signal {
  if (SIGNALS[signal].consecutive !== 'add' || signal === 'connect') return signal;
  if (attempt.leasedMs > 0 && !exchange.body.isEnded) return 'unfinished';
  if (signal === 'timeout' && hasLivedSince(context, attempt)) return 'slowUrl';
  return signal;
}

/** Whether the attempt's endpoint has answered any request since this one was sent, to any worker. */
function hasLivedSince({ baselines, clock, region }: ForwardingContext, attempt: ExchangeAttempt): boolean {
  const { slot } = attempt.endpoint;
  const sentMs = attempt.leasedMs || attempt.beganMs;
  if (baselines.hasRespondedSince(slot, sentMs)) return true;
  const lastMs = region.words[region.endpointWord(slot) + E_LAST_SUCCESS]!;
  const ageMs = ((clock.wallMs() - region.originWallMs) | 0) - lastMs;
  return lastMs !== 0 && ageMs >= 0 && ageMs < clock.nowMs() - sentMs - STAMP_ERROR_MS;
}

/**
 * The endpoint's time to a response head in ms, from the whole request on: a slow upload is not the endpoint's time. -1
 * where the request isn't whole: then there is nothing to measure.
 */
function latencyOf({ timing, body, requestEndMs }: Exchange, attempt: ExchangeAttempt): number {
  if (!body.isEnded) return -1;
  return timing.headMs - Math.max(attempt.leasedMs || attempt.beganMs, requestEndMs);
}

/** Records a good response for the baselines and for an adaptive limit. */
function recordGoodAnswer(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  headMs: number,
): void {
  const { slot } = attempt.endpoint;
  context.baselines.answered(slot, headMs, exchange.timing.headMs);
  if (exchange.target!.snapshot.limits.isAdaptive) context.lanes.endpoint(slot).sampleLatency(headMs);
}

/** Records the end of a whole response. */
export function recordEnd({ lanes }: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  const { policies, response } = exchange;
  const received = policies.plan.responseBody === null ? response.bytesSent : response.bytesReceived;
  countBytes(lanes.endpoint(attempt.endpoint.slot), exchange.bytesReceived, received);
}

/** Records a failed attempt. */
export function recordFailure(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  failure: Failure,
): void {
  const { endpoint } = attempt;
  const signal = evidenceOf(context, exchange, attempt, failure.signal);
  exchange.tries.failed(failure);
  const lane = context.lanes.endpoint(endpoint.slot);
  countFailure(lane, failure.kind);
  observeOutcome(context, exchange, endpoint.slot, signal, context.clock.nowMs() - attempt.beganMs, 0);
  const { snapshot } = exchange.target!;
  if (reportSignal(context.signals, snapshot, endpoint, signal, attempt.isTrial, exchange)) countOutcome(lane, signal);
  if (SIGNALS[signal].window === 'ignore') abandonTrial(context, attempt);
}

/** Cancels an attempt without a verdict about its endpoint: the client left, or another attempt was faster. */
export function cancelAttempt(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt | null): void {
  if (attempt === null || attempt.isOver) return;
  attempt.abort();
  recordEnd(context, exchange, attempt);
  abandonTrial(context, attempt);
}

/**
 * Judges an overdue response or connection, once all events that have arrived are handled: on a busy machine responses
 * wait in our own sockets.
 */
export function recordOverdue(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  const { beganMs } = attempt;
  context.afterThisTurn(() => {
    const isWaiting = exchange.state === STATE.leasing || exchange.state === STATE.sent;
    if (isWaiting && !attempt.isOver && attempt.beganMs === beganMs) judgeOverdue(context, exchange, attempt);
  });
}

/**
 * A slow URL is no sign. Where the endpoint answers nothing, its heartbeat decides. Requests without a key avoid it
 * meanwhile if several wait, or if it doesn't even accept, provided that another endpoint answers: where none does, the
 * machine or the network is slow.
 */
function judgeOverdue(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  const { baselines } = context;
  const { slot, generation } = attempt.endpoint;
  const overdue = baselines.judgeOverdue(slot, hasLivedSince(context, attempt));
  if (overdue === 'slow') return;
  const sentMs = attempt.leasedMs || attempt.beganMs;
  const { endpoints } = exchange.target!.snapshot;
  const areOthersAlive = endpoints.some((one) => one.slot !== slot && baselines.hasRespondedSince(one.slot, sentMs));
  const isStalled = overdue === 'stalled' || exchange.state === STATE.leasing;
  if (isStalled && areOthersAlive) markStalled(context, exchange, attempt.endpoint);
  else if (baselines.mayReportSilence(slot, context.clock.nowMs())) context.post({ kind: 'silent', slot, generation });
}

/** Marks an endpoint that lost several hedges and answered nothing in between. */
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
