// How attempts and exchanges end: what is counted, reported and logged, and what the client is told. Thread: worker.

import type { ClientConnection, ClientGone, LocalReply, TunnelEnd, Unparsable } from '../../core/exchange-contract.ts';
import type { ExchangeRecord } from '../../core/exchange-record.ts';
import { type Failure, type Signal, signalOfStatus } from '../../core/failure.ts';
import type { FieldList, ResponseHead } from '../../core/head.ts';
import { LISTENER_FIELD } from '../../core/memory/lane-fields.ts';
import { ENDPOINT, WORKER } from '../../core/memory/layout.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { RouteAction } from '../../core/snapshot/route.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { Termination } from '../../core/termination.ts';
import {
  accountExchange,
  countAttempt,
  countBytes,
  countFailure,
  countHead,
  countLease,
  countOutcome,
} from '../account/account.ts';
import type { Attempt } from './attempt.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { EditedResponseHead } from '../policies/edited-response-head.ts';
import type { Exchange } from './exchange.ts';
import { isSpoofed } from '../policies/forwarding-fields.ts';
import {
  configuredReply,
  localReply,
  REPLY_CAUSES,
  type ReplyCauseName,
  terminationOfCut,
  unparsableReply,
} from './local-reply.ts';
import { returnToken } from '../placement/place.ts';
import { readRetryAfter } from '../placement/retry-after-backoff.ts';
import { stickyFieldsOf } from './stickiness.ts';
import { refusedRecord } from './refused-record.ts';
import { markSuspect, reportIdleDeath, reportSignal, type SignalSink } from '../placement/signals.ts';

export class Ending {
  readonly #context: ForwardingContext;
  readonly #sink: SignalSink;
  readonly #openWord: number;

  constructor(context: ForwardingContext) {
    this.#context = context;
    const { region, clock } = context;
    this.#sink = { region, wallMs: () => clock.wallMs(), post: (message) => context.post(message) };
    this.#openWord = region.workerWord(context.worker) + WORKER.openExchanges.index;
  }

  // ---- attempts

  attemptBegan(exchange: Exchange, attempt: Attempt): void {
    countAttempt(this.#context.lanes.endpoint(attempt.endpoint.slot), exchange.attempts > 1);
  }

  /** Accounts a response head and returns its class. */
  headReceived(exchange: Exchange, attempt: Attempt, head: ResponseHead): Signal {
    const retryAfter = head.status === 429 || head.status === 503 ? head.field('retry-after') : undefined;
    const signal = signalOfStatus(head.status, retryAfter !== undefined);
    const retryAfterMs = readRetryAfter(retryAfter, this.#context.clock.wallMs());
    this.attemptAnswered(exchange, attempt, head.status, signal, retryAfterMs);
    return signal;
  }

  /**
   * Accounts a response by its status.
   * @param retryAfterMs delay that its Retry-After requests; 0 where there is none
   */
  attemptAnswered(exchange: Exchange, attempt: Attempt, status: number, signal: Signal, retryAfterMs = 0): void {
    const lane = this.#context.lanes.endpoint(attempt.endpoint.slot);
    const headMs = exchange.headMs - (attempt.leasedMs || attempt.beganMs);
    countLease(lane, attempt.isReused);
    countHead(lane, status, headMs);
    countOutcome(lane, signal);
    this.#observeOutcome(exchange, attempt, signal, headMs, retryAfterMs);
    if (signal === 'ok') this.#noteGood(exchange, attempt, headMs);
    reportSignal(this.#sink, exchange.target!.snapshot, attempt.endpoint, signal, attempt.isTrial);
    attempt.isTrial = false;
  }

  /** An adaptive limit counts from the whole request on: a client that is slow to send it says nothing of the endpoint. */
  #noteGood(exchange: Exchange, attempt: Attempt, headMs: number): void {
    const { slot } = attempt.endpoint;
    this.#context.paces.answered(slot, headMs);
    if (!exchange.target!.snapshot.limits.isAdaptive) return;
    const sentMs = Math.max(attempt.leasedMs || attempt.beganMs, exchange.requestEndMs);
    this.#context.lanes.endpoint(slot).sampleLatency(exchange.headMs - sentMs);
  }

  /** An endpoint is silent for far longer than it usually is: other requests should avoid it until that is judged. */
  markStalled(exchange: Exchange, endpoint: EndpointSnapshot): void {
    markSuspect(this.#sink, exchange.target!.snapshot, endpoint, 'timeout');
  }

  idleDeath(upstream: UpstreamSnapshot, endpoint: EndpointSnapshot): void {
    reportIdleDeath(this.#sink, upstream, endpoint);
  }

  /** The response has come whole. */
  attemptEnded(exchange: Exchange, attempt: Attempt): void {
    const lane = this.#context.lanes.endpoint(attempt.endpoint.slot);
    countBytes(lane, exchange.bytesReceived, exchange.bytesSent);
  }

  attemptFailed(exchange: Exchange, attempt: Attempt, failure: Failure): void {
    const lane = this.#context.lanes.endpoint(attempt.endpoint.slot);
    countFailure(lane, failure);
    const failedMs = this.#context.clock.nowMs() - attempt.beganMs;
    this.#observeOutcome(exchange, attempt, failure.signal, failedMs, 0);
    reportSignal(this.#sink, exchange.target!.snapshot, attempt.endpoint, failure.signal, attempt.isTrial);
    if (failure.signal === 'client' || failure.signal === 'staleConnection') this.#giveTrialUp(attempt);
  }

  /** The client left: says nothing about the endpoint. */
  attemptAbandoned(exchange: Exchange, attempt: Attempt): void {
    countBytes(this.#context.lanes.endpoint(attempt.endpoint.slot), exchange.bytesReceived, exchange.bytesSent);
    this.#giveTrialUp(attempt);
  }

  #giveTrialUp(attempt: Attempt): void {
    if (!attempt.isTrial) return;
    attempt.isTrial = false;
    returnToken(this.#context.region, this.#context.worker, attempt.endpoint.slot);
  }

  /** Reports an attempt's outcome to the upstream's balancer, where that weighs endpoints by outcomes. */
  #observeOutcome(exchange: Exchange, attempt: Attempt, signal: Signal, ms: number, retryAfterMs: number): void {
    const { observer } = exchange.target!;
    if (observer === null || signal === 'client' || signal === 'staleConnection') return;
    const { slot } = attempt.endpoint;
    const nowMs = this.#context.clock.nowMs();
    if (signal === 'ok') observer.answered(slot, ms, nowMs);
    else if (signal === 'overload') observer.overloaded(slot, ms, retryAfterMs, nowMs);
    else observer.failed(slot, ms, nowMs);
  }

  // ---- what the client is told

  /** Answers for a cause, and accounts the exchange by it. */
  reply(exchange: Exchange, name: ReplyCauseName): void {
    exchange.termination = REPLY_CAUSES[name].termination;
    this.#send(exchange, localReply(name, exchange.head, exchange.requestId));
  }

  /** Answers as the route says. */
  replyAsConfigured(exchange: Exchange, action: Exclude<RouteAction, { kind: 'upstream' }>): false {
    exchange.termination = 'localReply';
    const extra = this.responseFieldsOf(exchange);
    if (action.kind === 'redirect') {
      this.#send(exchange, configuredReply(action.status, ['Location', action.location, ...extra], ''));
    } else {
      const fields = ['Content-Type', action.contentType, ...extra];
      this.#send(exchange, configuredReply(action.status, fields, action.body));
    }
    return false;
  }

  #send(exchange: Exchange, reply: LocalReply): void {
    exchange.state = 'replied';
    exchange.hasResponseBegun = true;
    exchange.status = reply.status;
    exchange.bytesSent += exchange.head.method === 'HEAD' ? 0 : reply.body.byteLength;
    exchange.client.sendLocalReply(reply);
  }

  /** Fields that a response gets in addition: what its route sets, and the sticky cookie. */
  responseFieldsOf(exchange: Exchange): FieldList {
    const { set } = exchange.route!.responseHeaders;
    if (exchange.target === null || exchange.target.sticky === null) return set;
    return [...set, ...stickyFieldsOf(exchange, this.#context)];
  }

  /** The endpoint's head as the route lets it through. */
  responseHeadOf(exchange: Exchange, head: ResponseHead): ResponseHead {
    const removed = exchange.runtime.removedResponseFields(exchange.route!);
    return removed.size === 0 ? head : new EditedResponseHead(head, removed);
  }

  /** Ends a response that can't be completed, so that the client sees it. */
  cut(exchange: Exchange, failure: Failure): void {
    exchange.termination = terminationOfCut(failure);
    exchange.client.cut();
    this.finish(exchange);
  }

  /** Ends what a reload gave a time to end, and that is over. */
  cutForReload(exchange: Exchange): void {
    exchange.termination = 'drainedStream';
    this.clientGone(exchange);
  }

  clientGone(exchange: Exchange): void {
    exchange.client.cut();
    this.finish(exchange);
  }

  // ---- tunnels

  tunnelOpened(exchange: Exchange, attempt: Attempt): void {
    this.attemptAnswered(exchange, attempt, 101, 'ok');
    const word = this.#context.region.workerWord(this.#context.worker) + WORKER.upgraded.index;
    this.#context.region.words[word]!++;
  }

  tunnelClosed(exchange: Exchange, attempt: Attempt, end: TunnelEnd): void {
    const word = this.#context.region.workerWord(this.#context.worker) + WORKER.upgraded.index;
    if (exchange.wasUpgraded) this.#context.region.words[word]!--;
    this.attemptEnded(exchange, attempt);
    exchange.termination = end.by === 'timeout' ? 'tunnelTimeout' : end.by === 'drain' ? 'drainedTunnel' : 'ok';
    this.finish(exchange);
  }

  // ---- the end of all

  opened(exchange: Exchange): void {
    this.#context.open().add(exchange);
    this.#context.region.words[this.#openWord]!++;
  }

  finish(exchange: Exchange): void {
    if (exchange.isDone) return;
    const { region, clock, lanes, wheel } = this.#context;
    wheel.cancel(exchange.timer);
    exchange.replay?.discard();
    exchange.state = 'done';
    exchange.endedMs = clock.nowMs();
    region.words[this.#openWord]!--;
    exchange.openIn?.remove(exchange);
    accountExchange(exchange, lanes);
    if (isSpoofed(exchange.connection, exchange.head)) {
      lanes.listener(exchange.connection.listenerIndex).add(LISTENER_FIELD.forwardedSpoofs, 1);
    }
    const write = this.#context.accessLog();
    if (write === null) return;
    this.#readCounters(exchange);
    write(exchange);
  }

  /** Counts and logs what never became an exchange. */
  refuse(connection: ClientConnection, why: Unparsable, requestId: string): LocalReply {
    const reply = unparsableReply(why, requestId);
    const termination: Termination = REPLY_CAUSES[why].termination;
    const record: ExchangeRecord = refusedRecord(connection, {
      requestId,
      status: reply.status,
      termination,
      wallMs: this.#context.clock.wallMs(),
      openConnections: this.#openConnections(),
    });
    accountExchange(record, this.#context.lanes);
    this.#context.accessLog()?.(record);
    return reply;
  }

  /** HAProxy's counters, as they stand at the end. */
  #readCounters(exchange: Exchange): void {
    const { region } = this.#context;
    exchange.openConnections = this.#openConnections();
    exchange.listenerConnections = exchange.openConnections;
    const inflight = (slot: number): number => region.words[region.endpointWord(slot) + ENDPOINT.inflight.index]!;
    for (const { slot } of exchange.upstream?.endpoints ?? []) exchange.upstreamInflight += inflight(slot);
    if (exchange.endpoint !== null) exchange.endpointInflight = inflight(exchange.endpoint.slot);
  }

  #openConnections(): number {
    const { region, worker } = this.#context;
    return region.words[region.workerWord(worker) + WORKER.openConnections.index]!;
  }
}

/** By the phase in which the client left. */
export function terminationOfLeave(exchange: Exchange, why: ClientGone): Termination {
  if (why === 'send-timeout') return 'clientTimeoutData';
  switch (exchange.state) {
    case 'queued':
      return 'clientGoneQueue';
    case 'placing':
      return 'clientGoneConnect';
    case 'sent':
    case 'pausing':
      return exchange.isBodyEnded ? 'clientGoneHead' : 'clientGoneRequest';
    case 'routing':
      return 'clientGoneRequest';
    default:
      return 'clientGoneData';
  }
}
