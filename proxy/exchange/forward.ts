// Request path: route, admit, place, lease a connection, send, await the head, relay, record. Each step is a function of
// an exchange; forwarder.ts calls them. Reads top to bottom; deviations are in failover.ts. Thread: worker.

import type { FieldList, ResponseHead } from '../../core/head.ts';
import type { PolicyAnswer } from '../../core/policy/policy.ts';
import type { PolicyFailure } from '../policies/policy-runner.ts';
import type { Place } from '../placement/place.ts';
import type { NoPlace } from '../placement/placer.ts';
import { attemptRequestOf, identify, isOverBodyLimit, preparePlacement } from './admission.ts';
import type { Attempt } from './attempt.ts';
import { recordEnd, recordHead, recordStart } from './attempt-outcome.ts';
import type { Exchange } from './exchange.ts';
import { openExchange } from './exchange-end.ts';
import { logAttempt, logRoute, logUnplaced } from './exchange-log.ts';
import { armTimer, stopTimer } from './exchange-timer.ts';
import { isRetryableGrpc } from './grpc-call.ts';
import { leaveToRival, rejectRequest, retryStatus, settleRace } from './failover.ts';
import { STATE } from './exchange-state.ts';
import {
  beginResponse,
  endTransforms,
  observeRequestChunk,
  observeRequestEnd,
  passResponseChunk,
  passResponseTail,
  resumeAttempt,
} from './policy-bodies.ts';
import { applyPlacedPolicies, applyRequestPolicies, beginPolicies, requestSettled } from './policy-phases.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { admitUpload, endUpload, mayContinueUpload, releaseUpload } from './upload.ts';
import { withOverrides } from './runtime.ts';
import { serveFile } from './serve-file.ts';
import { AMBIGUOUS_PATH, NormalizedRoute, routeOf } from '../routing/router.ts';
import { relayHead, replyAsConfigured, replyForFailure, replyLocally, sendBytes } from './respond.ts';

type ExchangeAttempt = Attempt<Exchange>;

// ---- 1. receive a request head

export function forward(context: ForwardingContext, exchange: Exchange): void {
  openExchange(context, exchange);
  identify(context, exchange);
  if (route(context, exchange) && applyRequestPolicies(context, exchange)) proceed(context, exchange);
}

/** A policy's promise has led to an outcome. */
export function resume(context: ForwardingContext, exchange: Exchange, outcome: PolicyAnswer | PolicyFailure): void {
  if (!requestSettled(context, exchange, outcome)) return;
  if (exchange.route === null) replyLocally(context, exchange, 'no-route');
  else proceed(context, exchange);
}

/** Answers as the route configures, or admits and places the request. */
function proceed(context: ForwardingContext, exchange: Exchange): void {
  const { action } = exchange.route!;
  if (action.kind === 'files') return serveFile(context, exchange, action.files);
  if (action.kind !== 'upstream') return replyAsConfigured(context, exchange, action);
  if (admit(context, exchange)) place(context, exchange);
}

/** Places an admitted request. */
function place(context: ForwardingContext, exchange: Exchange): void {
  if (exchange.isIdempotent) context.placer.place(exchange);
  else context.afterThisTurn(() => placeUnlessOver(context, exchange));
}

// ---- 2. route

/** Finds the route and its upstream. Returns false where the exchange was answered instead. */
function route(context: ForwardingContext, exchange: Exchange): boolean {
  const { runtime, head, connection, clientAddress } = exchange;
  const result = runtime.router.find(head, connection.listenerName, clientAddress);
  const found = routeOf(result);
  if (found !== null) exchange.routeTo(found, runtime.targetOf(found));
  logRoute(context, exchange);
  beginPolicies(exchange);
  if (found === null) {
    // The policies of the listener act on requests without a route, too.
    if (!applyRequestPolicies(context, exchange)) return false;
    replyLocally(context, exchange, result === AMBIGUOUS_PATH ? 'ambiguous-path' : 'no-route');
  } else if (result instanceof NormalizedRoute) exchange.policies.target = result.target;
  return found !== null;
}

/** Sends a routed exchange to another upstream of its Runtime. Returns false where there is none of the name. */
export function reroute(exchange: Exchange, upstream: string): boolean {
  const { runtime, route: found, connection, policies } = exchange;
  const target = runtime.upstreamNamed(upstream);
  if (found === null || target === undefined) return false;
  exchange.routeTo(found, withOverrides(target, found));
  policies.continueWith(runtime.policies.planOf(connection.listenerIndex, found, target.snapshot.index));
  return true;
}

// ---- 3. admit

/** Enforces limits and prepares placement. Returns false where the exchange was answered instead. */
function admit(context: ForwardingContext, exchange: Exchange): boolean {
  if (isOverBodyLimit(exchange, Math.max(0, exchange.head.bodyLength))) {
    replyLocally(context, exchange, 'body-too-large');
    return false;
  }
  preparePlacement(context, exchange);
  return exchange.body.isEnded || admitUpload(context, exchange);
}

/** Places an upload that was held: all of its body is here, or as much as is held. */
function placeUpload(context: ForwardingContext, exchange: Exchange): void {
  releaseUpload(exchange);
  place(context, exchange);
}

// ---- 4. place: see placement/placer.ts

/**
 * Requests that can't be repeated are placed after all events of this turn: the connections of a killed endpoint close
 * before any request on them fails, and that must count first.
 */
function placeUnlessOver(context: ForwardingContext, exchange: Exchange): void {
  if (exchange.state === STATE.routing) context.placer.place(exchange);
}

export function replyUnplaced(context: ForwardingContext, exchange: Exchange, reason: NoPlace): void {
  const { lastFailure } = exchange;
  logUnplaced(context, exchange, reason);
  // A refused attempt at an endpoint that was known to be down says no more than that.
  const isKnownDown = lastFailure?.wasSent === false && exchange.target!.picker.usableCount === 0;
  if (isKnownDown && reason !== 'not-replayable') replyLocally(context, exchange, reason);
  else replyForFailure(context, exchange, reason === 'not-replayable' ? 'endpoint-gone' : reason);
}

// ---- 5. lease a connection and send

export function startAttempt(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  place: Place,
  isHedge: boolean,
): void {
  const { tries, attempts } = exchange;
  const { picker, snapshot } = exchange.target!;
  const isRetry = attempts > 1 && !isHedge;
  attempt.begin(picker.endpointAt(place.slot)!, snapshot.index, context.clock.nowMs(), isRetry, place.isTrial);
  tries.start(attempt, isHedge);
  exchange.body.stopFlow();
  exchange.enter(STATE.leasing);
  recordStart(context, exchange, attempt);
  logAttempt(context, exchange, place, isHedge);
  if (!applyPlacedPolicies(context, exchange, attempt)) return;
  const request = attemptRequestOf(exchange, attempt.endpoint);
  if (exchange.upgrade === null) attempt.start(context.transport, request);
  else attempt.startTunnel(context.tunnels, exchange.upgrade, request);
  if (exchange.state === STATE.leasing && tries.attempt === attempt) armTimer(context, exchange);
}

export function attemptLeased(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  const nowMs = context.clock.nowMs();
  attempt.leased(nowMs);
  exchange.timing.leased(nowMs);
  exchange.enter(STATE.sent);
  context.placer.connected(exchange.target!);
  armTimer(context, exchange);
}

export function startBody(exchange: Exchange, attempt: ExchangeAttempt): void {
  if (exchange.body.startFlow(attempt.handle!)) exchange.client.resumeBody();
}

export function passBody(context: ForwardingContext, exchange: Exchange, chunk: Uint8Array): void {
  const { body, tries, policies } = exchange;
  if (isOverBodyLimit(exchange, body.bytesReceived)) return rejectRequest(context, exchange, 'body-too-large');
  if (policies.plan.requestBody !== null && !observeRequestChunk(context, exchange, chunk, false)) return;
  if (body.isFlowing) exchange.timing.active(context.clock.nowMs());
  if (body.pass(chunk, tries.attempt?.handle ?? null)) return;
  exchange.client.pauseBody();
  if (body.isFilling) placeUpload(context, exchange);
}

/** The endpoint takes more of the body. */
export function resumeBody(context: ForwardingContext, exchange: Exchange): void {
  exchange.timing.active(context.clock.nowMs());
  exchange.body.drained();
  if (!exchange.body.isEnded) exchange.client.resumeBody();
}

export function endBody(context: ForwardingContext, exchange: Exchange, trailers: FieldList | null): void {
  if (exchange.policies.plan.requestBody !== null && !observeRequestEnd(context, exchange)) return;
  if (exchange.body.isFlowing) exchange.tries.attempt?.handle?.endBody(trailers);
  if (exchange.state === STATE.sent) armTimer(context, exchange);
  else if (exchange.body.isFilling) placeUpload(context, exchange);
}

// ---- 6. await the head

/**
 * Relays an interim response (RFC 9110 section 15.2). A 100 commits to nothing, so that another attempt may follow it, whose
 * own 100 the client side drops.
 */
export function relayInterim(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  head: ResponseHead,
): void {
  if (head.status !== 100) {
    settleRace(context, exchange, attempt);
    exchange.response.begin();
  }
  exchange.client.sendInterim(head);
}

export function receiveHead(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  head: ResponseHead,
): void {
  const signal = recordHead(context, exchange, attempt, head);
  const { retry } = exchange.target!.snapshot;
  const isGrpcRetryable = isRetryableGrpc(retry, head);
  const isRetryable = isGrpcRetryable || retry.statuses.includes(head.status);
  if (exchange.tries.rival !== null && (signal === 'gateway' || isRetryable)) {
    attempt.abort();
    return leaveToRival(context, exchange, attempt);
  }
  settleRace(context, exchange, attempt);
  if (isRetryable && retryStatus(context, exchange, attempt, isGrpcRetryable ? 'grpc-status' : 'status')) return;
  if (exchange.policies.plan.response !== null && !beginResponse(context, exchange, attempt, head)) return;
  exchange.enter(STATE.relaying);
  armTimer(context, exchange);
  relayHead(exchange, head);
}

// ---- 7. relay

/** Relays body bytes. Returns false where the client takes no more for now. */
export function relayData(context: ForwardingContext, exchange: Exchange, chunk: Uint8Array): boolean {
  exchange.timing.active(context.clock.nowMs());
  if (exchange.policies.plan.responseBody === null) return sendBytes(exchange, chunk);
  return passResponseChunk(context, exchange, chunk);
}

/** The client takes more of the response. */
export function resumeResponse(context: ForwardingContext, exchange: Exchange): void {
  if (exchange.policies.transforms !== null) exchange.policies.transforms.resume();
  else resumeAttempt(context, exchange);
}

export function endResponse(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  trailers: FieldList | null,
): void {
  if (exchange.state === STATE.uploading) return endUpload(context, exchange, attempt);
  if (exchange.policies.plan.responseBody !== null && !passResponseTail(context, exchange, trailers)) return;
  recordEnd(context, exchange, attempt);
  stopTimer(context, exchange);
  exchange.enter(STATE.replied);
  sendEnd(exchange, trailers);
}

function sendEnd(exchange: Exchange, trailers: FieldList | null): void {
  if (exchange.policies.transforms === null) exchange.client.sendEnd(trailers);
  else endTransforms(exchange, trailers);
}

/** The response is complete before the upload. Returns whether the rest of the upload follows. */
export function continueUpload(context: ForwardingContext, exchange: Exchange, trailers: FieldList | null): boolean {
  if (!mayContinueUpload(exchange)) return false;
  if (exchange.policies.plan.responseBody !== null && !passResponseTail(context, exchange, trailers)) return true;
  exchange.enter(STATE.uploading);
  armTimer(context, exchange);
  exchange.client.keepBody!();
  sendEnd(exchange, trailers);
  return true;
}

// ---- 8. record: Exchange.enter(STATE.done) calls closeExchange of exchange-end.ts
