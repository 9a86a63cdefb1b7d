// Request path without sockets: route, admit, pick, lease, send, await the head, retry or relay, record. Thread: worker.

import { PICK_FAILURE } from '../../core/balancer.ts';
import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  ExchangeStarter,
  LocalReply,
  Unparsable,
  UpgradeRequest,
} from '../../core/exchange-contract.ts';
import { failureOf, type Failure } from '../../core/failure.ts';
import type { FieldList, RequestHead, ResponseHead } from '../../core/head.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { admit } from './admission.ts';
import { Attempt, type AttemptHooks } from './attempt.ts';
import { attemptRequestOf, isOverBodyLimit } from './attempt-request.ts';
import { beginBody, passBody } from './body-flow.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { Ending, terminationOfLeave } from './ending.ts';
import { type Exchange, MAX_TRIED, type ExchangeHooks } from './exchange.ts';
import { ExchangePool } from './exchange-pool.ts';
import { replyOfFailure, type ReplyCauseName } from './local-reply.ts';
import { Hedging } from './hedging.ts';
import { identify } from './identify.ts';
import { findPlace } from '../placement/place.ts';
import { Queues } from './queues.ts';
import { Race } from './race.ts';
import { RequestIds } from './request-id.ts';
import { isIdempotent, isReplayable, mayRepeat } from './retry-facts.ts';
import { NO_RETRY, Retrying } from './retrying.ts';
import { findStickyPlace } from './stickiness.ts';
import { Tunnelling } from './tunnelling.ts';
import { Waiting } from './waiting.ts';

export class Forwarder implements ExchangeStarter, ExchangeHooks, AttemptHooks {
  readonly #context: ForwardingContext;
  readonly #ending: Ending;
  readonly #queues: Queues;
  readonly #waiting: Waiting;
  readonly #hedging: Hedging;
  readonly #race: Race;
  readonly #retrying: Retrying;
  readonly tunnels: Tunnelling;
  readonly #requestIds = new RequestIds();
  readonly #exchanges = new ExchangePool(this);

  constructor(context: ForwardingContext) {
    this.#context = context;
    this.#ending = new Ending(context);
    this.#queues = new Queues(context, (exchange) => this.#place(exchange));
    this.#hedging = new Hedging(context);
    this.#waiting = new Waiting(context, this.#hedging);
    this.#race = new Race(context, this.#ending);
    this.#retrying = new Retrying(context);
    this.tunnels = new Tunnelling(context, this.#ending, this.#waiting);
  }

  // ---- 1. a head has come

  begin(client: ClientSide, head: RequestHead, upgrade: UpgradeRequest | null, receivedMs: number): ClientEvents {
    const { clock } = this.#context;
    const nowMs = clock.nowMs();
    const beganWallMs = clock.wallMs() - (nowMs - receivedMs);
    const runtime = this.#context.runtime();
    const exchange = this.#exchanges.take(runtime);
    exchange.begin({ client, head, upgrade }, runtime, receivedMs, nowMs, beganWallMs);
    this.#ending.opened(exchange);
    this.#forward(exchange);
    return exchange;
  }

  refuse(connection: ClientConnection, why: Unparsable): LocalReply {
    return this.#ending.refuse(connection, why, this.#requestIds.next());
  }

  #forward(exchange: Exchange): void {
    identify(exchange, this.#requestIds);
    if (!this.#route(exchange)) return;
    if (!this.#admit(exchange)) return;
    if (isIdempotent(exchange)) this.#place(exchange);
    else this.#context.afterThisTurn(() => this.#placeLater(exchange));
  }

  /**
   * What may not be repeated is placed after the event loop has handled everything else that it has already seen: a
   * killed endpoint's connections end before any request on them fails, and that must count first.
   */
  #placeLater(exchange: Exchange): void {
    if (exchange.state === 'routing') this.#place(exchange);
  }

  // ---- 2. route: whose request is it

  #route(exchange: Exchange): boolean {
    const { runtime, head, connection } = exchange;
    const route = runtime.router.find(head, connection.listenerName);
    if (route === null) return this.#reply(exchange, 'no-route');
    exchange.route = route;
    if (route.action.kind !== 'upstream') return this.#ending.replyAsConfigured(exchange, route.action);
    exchange.target = runtime.upstreams.get(route.action.upstream)!;
    return true;
  }

  // ---- 3. admit: limits, and what the attempts will need

  #admit(exchange: Exchange): boolean {
    const refusal = admit(exchange, this.#context);
    return refusal === null || this.#reply(exchange, refusal);
  }

  // ---- 4. pick, and wait where all are busy

  #place(exchange: Exchange): void {
    const target = exchange.target!;
    if (exchange.state !== 'queued' && (this.#queues.isHeld(target) || this.#queues.hasOthersFirst(target))) {
      exchange.triedCount = 0;
      return this.#queue(exchange);
    }
    exchange.nowMs = this.#context.clock.nowMs();
    exchange.mayRetry = mayRepeat(exchange);
    exchange.mayUseLastResort = exchange.attempts > 0;
    const { region, worker } = this.#context;
    const place = findStickyPlace(exchange, this.#context) ?? findPlace(exchange, target, region, worker);
    if (place.slot >= 0) {
      this.#queues.leave(exchange);
      this.#send(exchange, place.slot, place.isTrial);
    } else if (place.slot === PICK_FAILURE.allBusy) this.#queue(exchange);
    else if (place.slot === PICK_FAILURE.allTried) this.#allTried(exchange);
    else if (target.snapshot.whenAllDown === 'wait') this.#queue(exchange);
    else this.#giveUp(exchange, 'no-endpoint');
  }

  #queue(exchange: Exchange): void {
    if (exchange.state === 'queued') return;
    if (!this.#queues.join(exchange)) this.#giveUp(exchange, 'queue-full');
  }

  /** Every usable endpoint has failed this exchange. Where nothing was sent, the first may be asked once more. */
  #allTried(exchange: Exchange): void {
    const failure = exchange.lastFailure;
    const mayAskAgain = failure !== null && (!failure.wasSent || failure.kind === 'stale-connection');
    if (!mayAskAgain || exchange.triedCount === 0) return this.#giveUp(exchange, 'no-endpoint');
    exchange.triedCount = 0;
    exchange.mustUseFresh = true;
    if (exchange.target!.snapshot.whenAllDown === 'wait') {
      this.#queues.hold(exchange.target!);
      return this.#queue(exchange);
    }
    this.#again(exchange, failure.kind === 'stale-connection' ? 0 : this.#retrying.jitterMs(exchange));
  }

  /** Another try, after a pause. */
  #again(exchange: Exchange, pauseMs: number): void {
    if (pauseMs > 0) return this.#waiting.pause(exchange, pauseMs);
    this.#retrying.resume(exchange);
    // What came of the body since the last try may have outgrown the buffer: half a body must never be sent for a whole.
    if (isReplayable(exchange)) this.#place(exchange);
    else this.#giveUp(exchange, 'endpoint-gone');
  }

  #giveUp(exchange: Exchange, cause: ReplyCauseName): void {
    this.#queues.leave(exchange);
    this.#reply(exchange, exchange.lastFailure === null ? cause : replyOfFailure(exchange.lastFailure));
  }

  // ---- 5. lease a connection and send

  #send(exchange: Exchange, slot: number, isTrial: boolean): void {
    const { region, worker, clock, transport, tunnels } = this.#context;
    const target = exchange.target!;
    const endpoint = target.endpointBySlot.get(slot)!;
    const nowMs = clock.nowMs();
    const spare = exchange.attempts === 0 ? (exchange.spareAttempt as Attempt | null) : null;
    const attempt = spare ?? new Attempt(this, exchange, region, worker);
    attempt.begin(endpoint, nowMs, isTrial);
    if (exchange.placedMs === 0) exchange.placedMs = nowMs;
    if (exchange.endpoint !== null && exchange.endpoint !== endpoint) exchange.wasRedispatched = true;
    if (exchange.triedCount < MAX_TRIED) exchange.triedSlots[exchange.triedCount++] = slot;
    exchange.attempts++;
    exchange.attempt = attempt;
    exchange.endpoint = endpoint;
    exchange.state = 'placing';
    exchange.isBodyFlowing = false;
    exchange.isUncut = false;
    this.#ending.attemptBegan(exchange, attempt);
    const request = attemptRequestOf(exchange, attempt);
    if (exchange.upgrade === null) attempt.start(transport, request);
    else attempt.startTunnel(tunnels, exchange.upgrade, request);
    if (exchange.state === 'placing' && exchange.attempt === attempt) this.#waiting.forEndpoint(exchange);
  }

  attemptLeased(exchange: Exchange, attempt: Attempt): void {
    const nowMs = this.#context.clock.nowMs();
    attempt.leasedMs = nowMs;
    exchange.leasedMs = nowMs;
    exchange.state = 'sent';
    this.#queues.letGo(exchange.target!);
    this.#waiting.forEndpoint(exchange);
  }

  attemptBodyWanted(exchange: Exchange, attempt: Attempt): void {
    beginBody(exchange, attempt.handle!);
  }

  clientData(exchange: Exchange, chunk: Uint8Array): void {
    if (isOverBodyLimit(exchange, exchange.bytesReceived)) return this.#cutShort(exchange, 'body-too-large');
    passBody(exchange, chunk, this.#context.clock);
  }

  attemptDrain(exchange: Exchange): void {
    exchange.activeMs = this.#context.clock.nowMs();
    exchange.isBodyHeld = false;
    if (!exchange.isBodyEnded) exchange.client.resumeBody();
  }

  clientEnd(exchange: Exchange, trailers: FieldList | null): void {
    if (exchange.isBodyFlowing) exchange.attempt?.handle?.endBody(trailers);
    if (exchange.state === 'sent') this.#waiting.forEndpoint(exchange);
  }

  // ---- 6. await the head

  /** 100 is between us and the endpoint: the client's own was sent when its body was let through. */
  attemptInterim(exchange: Exchange, attempt: Attempt, head: ResponseHead): void {
    if (head.status === 100) return;
    this.#race.won(exchange, attempt);
    exchange.hasResponseBegun = true;
    exchange.client.sendInterim(head);
  }

  attemptHead(exchange: Exchange, attempt: Attempt, head: ResponseHead): void {
    const nowMs = this.#context.clock.nowMs();
    exchange.headMs = nowMs;
    this.#hedging.observe(exchange.target!.snapshot, nowMs - attempt.leasedMs, nowMs);
    const signal = this.#ending.headReceived(exchange, attempt, head);
    const { statuses } = exchange.target!.snapshot.retry;
    if (exchange.rival !== null && (signal === 'gateway' || statuses.includes(head.status))) {
      attempt.abort();
      return this.#leaveToRival(exchange, attempt);
    }
    this.#race.won(exchange, attempt);
    this.#retrying.rests.heard(attempt.endpoint.slot, head, nowMs, this.#context.clock.wallMs());
    const pauseMs = statuses.includes(head.status) ? this.#retrying.pauseAfter(exchange, 'status', true) : NO_RETRY;
    if (pauseMs !== NO_RETRY) {
      attempt.abort();
      return this.#again(exchange, pauseMs);
    }
    exchange.state = 'relaying';
    exchange.hasResponseBegun = true;
    exchange.replay?.discard();
    exchange.status = head.status;
    this.#waiting.forEndpoint(exchange);
    const { client } = exchange;
    client.sendHead(this.#ending.responseHeadOf(exchange, head), this.#ending.responseFieldsOf(exchange));
  }

  // ---- 7. relay

  attemptData(exchange: Exchange, attempt: Attempt, chunk: Uint8Array): boolean {
    exchange.activeMs = this.#context.clock.nowMs();
    exchange.bytesSent += chunk.byteLength;
    attempt.isHeld = !exchange.client.sendData(chunk);
    return !attempt.isHeld;
  }

  clientDrain(exchange: Exchange): void {
    const { attempt } = exchange;
    if (attempt === null || !attempt.isHeld) return;
    attempt.isHeld = false;
    exchange.activeMs = this.#context.clock.nowMs();
    attempt.handle?.resume();
  }

  attemptEnd(exchange: Exchange, attempt: Attempt, trailers: FieldList | null): void {
    this.#ending.attemptEnded(exchange, attempt);
    this.#waiting.stop(exchange);
    exchange.state = 'replied';
    exchange.client.sendEnd(trailers);
  }

  clientFlushed(exchange: Exchange): void {
    this.#ending.finish(exchange);
    this.#exchanges.give(exchange);
  }

  // ---- 8. what goes wrong: another try, an answer of our own, or a visible cut

  attemptFailed(exchange: Exchange, attempt: Attempt, failure: Failure): void {
    exchange.lastFailure = failure;
    this.#ending.attemptFailed(exchange, attempt, failure);
    if (exchange.rival !== null) return this.#leaveToRival(exchange, attempt);
    this.#waiting.stop(exchange);
    if (exchange.state === 'relaying') return this.#ending.cut(exchange, failure);
    exchange.client.pauseBody();
    exchange.isBodyFlowing = false;
    const pauseMs = this.#retrying.pauseAfter(exchange, failure.kind, failure.wasSent);
    if (pauseMs === NO_RETRY) this.#reply(exchange, replyOfFailure(failure));
    else this.#again(exchange, pauseMs);
  }

  /** A try has taken its time. It is cut only where another one follows: what is slow is better than nothing. */
  #tryTimedOut(exchange: Exchange, attempt: Attempt): void {
    const pauseMs = this.#retrying.pauseAfter(exchange, 'try-timeout', true);
    if (pauseMs === NO_RETRY) {
      exchange.isUncut = true;
      this.#waiting.forEndpoint(exchange);
      return this.#ending.markStalled(exchange, attempt.endpoint);
    }
    attempt.abort();
    const failure = failureOf('try-timeout', true);
    exchange.lastFailure = failure;
    this.#ending.attemptFailed(exchange, attempt, failure);
    this.#again(exchange, pauseMs);
  }

  /** One of two has failed: the other goes on. */
  #leaveToRival(exchange: Exchange, loser: Attempt): void {
    this.#race.lost(exchange, loser);
    this.#waiting.forEndpoint(exchange);
  }

  deadline(exchange: Exchange): void {
    if (exchange.isDone) return;
    if (exchange.state === 'queued') return this.#giveUp(exchange, 'queue-timeout');
    if (exchange.state === 'pausing') return this.#again(exchange, 0);
    const due = this.#waiting.due(exchange);
    if (due === null) return;
    if (due === 'hedge') return this.#hedge(exchange);
    const attempt = exchange.attempt as Attempt;
    if (due === 'overdue') return this.#ending.markStalled(exchange, attempt.endpoint);
    if (due === 'try-timeout' && exchange.rival === null) return this.#tryTimedOut(exchange, attempt);
    if (due === 'response-timeout') this.#race.callOff(exchange);
    attempt.abort();
    this.attemptFailed(exchange, attempt, failureOf(due, true));
  }

  /** Sends the request to a second endpoint, where one has room and the budget allows. */
  #hedge(exchange: Exchange): void {
    const slot = this.#hedging.findSlot(exchange);
    if (slot < 0) return;
    this.#race.begin(exchange);
    this.#send(exchange, slot, false);
  }

  clientGone(exchange: Exchange, why: ClientGone): void {
    if (why !== 'closed' && why !== 'send-timeout') return this.#cutShort(exchange, why);
    exchange.termination = terminationOfLeave(exchange, why);
    this.#abandon(exchange);
    this.#ending.clientGone(exchange);
  }

  /** The client has broken its own request: answer where nothing has been said yet, else cut. */
  #cutShort(exchange: Exchange, cause: 'body-timeout' | 'malformed-body' | 'body-too-large'): void {
    this.#abandon(exchange);
    if (exchange.hasResponseBegun) this.#ending.cut(exchange, failureOf('cancelled', true));
    else this.#reply(exchange, cause);
  }

  /** Its time is over: a reload left it only so much. */
  endForReload(exchange: Exchange): void {
    if (exchange.state === 'tunnel') return (exchange.attempt as Attempt).closeTunnel();
    if (exchange.isDone || exchange.state === 'replied') return;
    this.#abandon(exchange);
    if (exchange.hasResponseBegun) this.#ending.cutForReload(exchange);
    else this.#reply(exchange, 'no-endpoint');
  }

  #abandon(exchange: Exchange): void {
    this.#queues.leave(exchange);
    this.#waiting.stop(exchange);
    this.#race.callOff(exchange);
    this.#race.cancel(exchange, exchange.attempt as Attempt | null);
  }

  #reply(exchange: Exchange, cause: ReplyCauseName): false {
    this.#ending.reply(exchange, cause);
    return false;
  }

  // ---- 9. places that become free

  placeFreed(exchange: Exchange): void {
    this.#queues.placeFreed(exchange.target!);
  }

  /** An endpoint has closed its idle connections: it may be dead. */
  onIdleDeath(upstream: UpstreamSnapshot, endpoint: EndpointSnapshot): void {
    this.#ending.idleDeath(upstream, endpoint);
  }

  /** Another worker has freed a place. */
  onWake(): void {
    this.#queues.serveAll();
  }
}
