// The forwarder of a worker: begins exchanges and dispatches their events to the steps of forward.ts and failover.ts.
// Thread: worker.

import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  ExchangeStarter,
  LocalReply,
  HeadChanges,
  TunnelEnd,
  Unparsable,
  UpgradeRequest,
} from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import type { FieldList, RequestHead, ResponseHead } from '../../core/head.ts';
import type { MessageToMain } from '../../core/messages.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../../core/snapshot/upstream.ts';
import type { Place } from '../placement/place.ts';
import { type NoPlace, Placer, type PlacerEvents } from '../placement/placer.ts';
import { PolicyRunner } from '../policies/policy-runner.ts';
import { FileService } from '../files/file-service.ts';
import { FailureSources } from '../placement/failure-sources.ts';
import { reportIdleDeath } from '../placement/signals.ts';
import { Attempt, type AttemptHooks } from './attempt.ts';
import { grpcWebCallOf } from './grpc-web-call.ts';
import type { Runtime } from './runtime.ts';
import type { Exchange, ExchangeHooks } from './exchange.ts';
import { closeExchange } from './exchange-end.ts';
import { ExchangePool } from './exchange-pool.ts';
import * as failover from './failover.ts';
import * as path from './forward.ts';
import { MirroredExchanges } from './mirrored-exchanges.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext, ForwardingParts } from './forwarding-context.ts';
import { RequestIds } from './request-id.ts';
import * as upgrades from './upgrades.ts';
import { refuseUnparsable } from './respond.ts';

type ExchangeAttempt = Attempt<Exchange>;
type Writable<Whole, Key extends keyof Whole> = Omit<Whole, Key> & { -readonly [K in Key]: Whole[K] };

export class Forwarder implements ExchangeStarter, ExchangeHooks, AttemptHooks<Exchange>, PlacerEvents<Exchange> {
  readonly #context: Writable<ForwardingContext, 'transport' | 'tunnels'>;
  readonly #exchanges = new ExchangePool(this);
  readonly mirrors: MirroredExchanges;

  constructor(parts: ForwardingParts) {
    const { region, clock } = parts;
    const signals = {
      region,
      sources: new FailureSources(),
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      post: (message: MessageToMain) => parts.post(message),
    };
    const placer = new Placer<Exchange>(parts, this);
    const policies = new PolicyRunner({
      watch: parts.policyWatch,
      preciseMs: () => performance.now(),
      onSettled: (view, outcome) => path.resume(this.#context, view.exchange as Exchange, outcome),
    });
    this.#context = { ...parts, placer, policies, signals, requestIds: new RequestIds(), files: new FileService() };
    this.mirrors = new MirroredExchanges(this.#context);
  }

  /** Sends attempts through others from now on, which end at the same endpoints. */
  use({ transport, tunnels }: Pick<ForwardingParts, 'transport' | 'tunnels'>): void {
    this.#context.transport = transport;
    this.#context.tunnels = tunnels;
  }

  // ---- ExchangeStarter

  begin(client: ClientSide, head: RequestHead, upgrade: UpgradeRequest | null, receivedMs: number): ClientEvents {
    const runtime = this.#context.runtime();
    const call = runtime.convertsGrpcWeb ? grpcWebCallOf(client, head) : null;
    if (call === null) return this.#begin(runtime, client, head, upgrade, receivedMs);
    call.events = this.#begin(runtime, call, call.head, upgrade, receivedMs);
    return call;
  }

  #begin(
    runtime: Runtime,
    client: ClientSide,
    head: RequestHead,
    upgrade: UpgradeRequest | null,
    receivedMs: number,
  ): Exchange {
    const { clock } = this.#context;
    const nowMs = clock.nowMs();
    const beganWallMs = clock.wallMs() - (nowMs - receivedMs);
    const exchange = this.#exchanges.take(runtime);
    exchange.begin({ client, head, upgrade }, runtime, receivedMs, nowMs, beganWallMs);
    path.forward(this.#context, exchange);
    return exchange;
  }

  refuse(connection: ClientConnection, why: Unparsable): LocalReply {
    return refuseUnparsable(this.#context, connection, why);
  }

  // ---- PlacerEvents

  placed(exchange: Exchange, place: Place, isHedge: boolean): void {
    const { region, worker } = this.#context;
    const spare = exchange.attempts === 1 ? exchange.tries.spare : null;
    const attempt = spare ?? new Attempt<Exchange>(this, exchange, region, worker);
    path.startAttempt(this.#context, exchange, attempt, place, isHedge);
  }

  queued(exchange: Exchange): void {
    exchange.enter(STATE.queued);
  }

  backsOff(exchange: Exchange): void {
    exchange.enter(STATE.backoff);
  }

  unplaced(exchange: Exchange, reason: NoPlace): void {
    path.replyUnplaced(this.#context, exchange, reason);
  }

  // ---- AttemptHooks

  attemptLeased(exchange: Exchange, attempt: ExchangeAttempt): void {
    path.attemptLeased(this.#context, exchange, attempt);
  }

  attemptBodyWanted(exchange: Exchange, attempt: ExchangeAttempt): void {
    path.startBody(exchange, attempt);
  }

  attemptDrain(exchange: Exchange): void {
    path.resumeBody(this.#context, exchange);
  }

  attemptInterim(exchange: Exchange, attempt: ExchangeAttempt, head: ResponseHead): void {
    path.relayInterim(this.#context, exchange, attempt, head);
  }

  attemptHead(exchange: Exchange, attempt: ExchangeAttempt, head: ResponseHead): void {
    path.receiveHead(this.#context, exchange, attempt, head);
  }

  attemptData(exchange: Exchange, chunk: Uint8Array): boolean {
    return path.relayData(this.#context, exchange, chunk);
  }

  attemptEarlyEnd(exchange: Exchange, trailers: FieldList | null): boolean {
    return path.continueUpload(this.#context, exchange, trailers);
  }

  attemptEnd(exchange: Exchange, attempt: ExchangeAttempt, trailers: FieldList | null): void {
    path.endResponse(this.#context, exchange, attempt, trailers);
  }

  attemptFailed(exchange: Exchange, attempt: ExchangeAttempt, failure: Failure): void {
    failover.attemptFailed(this.#context, exchange, attempt, failure);
  }

  tunnelHead(exchange: Exchange, attempt: ExchangeAttempt, head: ResponseHead): HeadChanges | null {
    return upgrades.answerUpgrade(this.#context, exchange, attempt, head);
  }

  tunnelOpen(exchange: Exchange, attempt: ExchangeAttempt): void {
    upgrades.openTunnel(this.#context, exchange, attempt);
  }

  tunnelRefused(exchange: Exchange, attempt: ExchangeAttempt, status: number): void {
    upgrades.refuseTunnel(this.#context, exchange, attempt, status);
  }

  tunnelClosed(exchange: Exchange, attempt: ExchangeAttempt, end: TunnelEnd): void {
    upgrades.closeTunnel(this.#context, exchange, attempt, end);
  }

  placeFreed(exchange: Exchange): void {
    this.#context.placer.placeFreed(exchange.target!);
  }

  // ---- ExchangeHooks

  clientData(exchange: Exchange, chunk: Uint8Array): void {
    path.passBody(this.#context, exchange, chunk);
  }

  clientEnd(exchange: Exchange, trailers: FieldList | null): void {
    path.endBody(this.#context, exchange, trailers);
  }

  clientDrain(exchange: Exchange): void {
    path.resumeResponse(this.#context, exchange);
  }

  clientFlushed(exchange: Exchange): void {
    exchange.enter(STATE.done);
    this.#exchanges.give(exchange);
  }

  clientGone(exchange: Exchange, why: ClientGone): void {
    failover.clientGone(this.#context, exchange, why);
  }

  wallMs(): number {
    return this.#context.clock.wallMs();
  }

  chooseUpstream(exchange: Exchange, name: string): boolean {
    return path.reroute(exchange, name);
  }

  deadline(exchange: Exchange): void {
    failover.timerFired(this.#context, exchange);
  }

  done(exchange: Exchange): void {
    closeExchange(this.#context, exchange);
  }

  // ---- events of the worker

  /** A reload's grace period for the exchange has expired. */
  expireAfterReload(exchange: Exchange): void {
    failover.expireAfterReload(this.#context, exchange);
  }

  /** Heartbeats found an endpoint down. @param open exchanges that may have an attempt there */
  onEndpointDown(slot: number, open: readonly Exchange[]): void {
    for (const exchange of open) failover.endpointDown(this.#context, exchange, slot);
  }

  /** A slot has another endpoint: nothing learned of the one before may judge it. */
  forgetSlot(slot: number): void {
    const { baselines, placer, signals } = this.#context;
    for (const part of [baselines, placer.retries, signals.sources]) part.forget(slot);
  }

  /** Another worker has freed a place. */
  onWake(): void {
    this.#context.placer.wake();
  }

  /** An endpoint has closed its idle connections: it may have died. */
  onIdleDeath(upstream: UpstreamSettings, endpoint: EndpointSnapshot): void {
    reportIdleDeath(this.#context.signals, upstream, endpoint);
  }
}
