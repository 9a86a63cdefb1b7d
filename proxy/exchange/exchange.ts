// An exchange: one request and its response, from the request head to the log record. It owns its state; forward.ts makes
// the decisions. Its data is in groups, each of which writes its own fields. Thread: worker.

import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  UpgradeRequest,
} from '../../core/exchange-contract.ts';
import type { ExchangePhases, ExchangeRecord, RetryVerdict } from '../../core/exchange-record.ts';
import type { Failure, FailureKind } from '../../core/failure.ts';
import type { FieldList, RequestHead } from '../../core/head.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { Termination } from '../../core/termination.ts';
import { WheelTimer } from '../../core/timer-wheel.ts';
import { NO_POLICIES, PolicyView, type ViewedExchange } from '../policies/policy-view.ts';
import { type Placeable, Placement } from '../placement/placeable.ts';
import { isHedgeable, isIdempotentRequest } from '../placement/retry-verdict.ts';
import { assertTransition, type ExchangeState, STATE } from './exchange-state.ts';
import { ExchangeTiming } from './exchange-timing.ts';
import { LoadReading } from './load-at-end.ts';
import type { Linked, OpenList } from './open-list.ts';
import { RequestBody } from './request-body.ts';
import { ResponseProgress } from './response-progress.ts';
import type { Runtime, UpstreamRuntime } from './runtime.ts';
import { Tries } from './tries.ts';

/** Clients that half-close on purpose do so right after their request; later it is nearly always a client giving up. */
const HALF_CLOSE_MS = 1000;

/** Receives the events of exchanges, none of them after `done`. */
export interface ExchangeHooks {
  clientData(exchange: Exchange, chunk: Uint8Array): void;
  clientEnd(exchange: Exchange, trailers: FieldList | null): void;
  clientDrain(exchange: Exchange): void;
  clientFlushed(exchange: Exchange): void;
  clientGone(exchange: Exchange, why: ClientGone): void;
  /** Milliseconds since 1970. */
  wallMs(): number;
  /** A policy sends the exchange to another upstream. Returns false where there is none of the name. */
  chooseUpstream(exchange: Exchange, name: string): boolean;
  /** The timer has fired. */
  deadline(exchange: Exchange): void;
  /** The exchange has entered `done`. */
  done(exchange: Exchange): void;
}

/** The request that an exchange begins with. */
export interface ExchangeStart {
  readonly client: ClientSide;
  readonly head: RequestHead;
  readonly upgrade: UpgradeRequest | null;
}

/**
 * Reused for another request where its client side sends no events after the flush (ClientSide.isSilentAfterFlush):
 * `begin` resets every group, and a test compares a reused exchange with a new one.
 */
export class Exchange implements ClientEvents, ExchangeRecord, Placeable, ViewedExchange, Linked<Exchange> {
  readonly #hooks: ExchangeHooks;
  #state: ExchangeState = STATE.done;
  client!: ClientSide;
  head!: RequestHead;
  upgrade: UpgradeRequest | null = null;
  requestId = '';
  clientAddress = '';
  /** The Runtime that it began with: a reload doesn't change it. RuntimeHistory moves long exchanges on. */
  runtime!: Runtime;
  route: RouteSnapshot | null = null;
  target: UpstreamRuntime | null = null;

  readonly timing = new ExchangeTiming();
  readonly body = new RequestBody();
  readonly placement = new Placement();
  readonly policies = new PolicyView(this);
  readonly tries = new Tries<Exchange>();
  readonly response = new ResponseProgress();
  readonly load = new LoadReading();
  readonly timer: WheelTimer = new WheelTimer(() => this.#timerFired());

  /** Written by OpenList alone. */
  openIn: OpenList<Exchange> | null = null;
  earlierOpen: Exchange | null = null;
  laterOpen: Exchange | null = null;

  constructor(hooks: ExchangeHooks) {
    this.#hooks = hooks;
  }

  /**
   * Begins a request.
   * @param receivedMs,nowMs monotonic ms: when its first byte was received, and now
   * @param beganWallMs wall-clock ms of its first byte
   */
  begin(start: ExchangeStart, runtime: Runtime, receivedMs: number, nowMs: number, beganWallMs: number): void {
    this.client = start.client;
    this.head = start.head;
    this.upgrade = start.upgrade;
    this.requestId = '';
    this.clientAddress = '';
    this.runtime = runtime;
    this.route = null;
    this.target = null;
    this.timing.begin(receivedMs, nowMs, beganWallMs);
    this.body.begin(start.head.bodyLength);
    this.placement.reset(nowMs);
    this.policies.begin(NO_POLICIES);
    this.tries.reset();
    this.response.reset();
    this.load.reset();
    this.enter(STATE.routing);
  }

  identify(requestId: string, clientAddress: string): void {
    this.requestId = requestId;
    this.clientAddress = clientAddress;
  }

  routeTo(route: RouteSnapshot, target: UpstreamRuntime | null): void {
    this.route = route;
    this.target = target;
  }

  /** Moves a running exchange to a newer Runtime, in which its upstream still exists. */
  moveTo(runtime: Runtime, target: UpstreamRuntime): void {
    this.runtime = runtime;
    this.target = target;
  }

  // ---- state

  get state(): ExchangeState {
    return this.#state;
  }

  get isDone(): boolean {
    return this.#state === STATE.done;
  }

  /** Whether the response head of an endpoint has gone to the client, and more may follow. */
  get isStreaming(): boolean {
    return this.#state === STATE.relaying || this.#state === STATE.tunnel;
  }

  /** Changes the state and runs its entry action. @throws Error where the transition isn't allowed */
  enter(next: ExchangeState): void {
    assertTransition(this.#state, next);
    this.#state = next;
    switch (next) {
      case STATE.relaying:
        this.response.begin();
        this.body.discardReplay();
        break;
      case STATE.replied:
        this.response.begin();
        break;
      case STATE.tunnel:
        this.response.begin();
        this.response.upgraded();
        break;
      case STATE.done:
        this.body.discardReplay();
        this.openIn?.remove(this);
        this.#hooks.done(this);
        break;
      default:
    }
  }

  /** Whether nothing but its client side and its only attempt, both of which are over, can still refer to it. */
  get isReusable(): boolean {
    const { placement } = this;
    const isPlain = this.termination === 'ok' && placement.attempts === 1 && placement.hedges === 0;
    const isUnqueued = placement.queuedMs === 0 && this.tries.lastFailure === null;
    const isKnownElsewhere = this.upgrade !== null || this.body.replay !== null || this.policies.waitNumber > 0;
    return isPlain && isUnqueued && !isKnownElsewhere;
  }

  // ---- ViewedExchange

  get upstreamName(): string {
    return this.target?.snapshot.name ?? '';
  }

  wallMs(): number {
    return this.#hooks.wallMs();
  }

  chooseUpstream(name: string): boolean {
    return this.#hooks.chooseUpstream(this, name);
  }

  preferSlot(slot: number): void {
    this.placement.stickySlot = slot;
  }

  // ---- Placeable

  get isSheddable(): boolean {
    return this.route!.priority === 'sheddable';
  }

  get isIdempotent(): boolean {
    return isIdempotentRequest(this.head);
  }

  get isReplayable(): boolean {
    return this.body.isReplayable;
  }

  get isHedgeable(): boolean {
    return this.upgrade === null && isHedgeable(this.head);
  }

  get hasResponseBegun(): boolean {
    return this.response.hasBegun;
  }

  get requestEndMs(): number {
    return this.timing.requestEndMs;
  }

  get lastFailure(): Failure | null {
    return this.tries.lastFailure;
  }

  // ---- ExchangeRecord

  get connection(): ClientConnection {
    return this.client.connection;
  }

  get routeName(): string {
    return this.route?.name ?? '';
  }

  get upstream(): UpstreamSnapshot | null {
    return this.target?.snapshot ?? null;
  }

  get endpoint(): EndpointSnapshot | null {
    return this.tries.endpoint;
  }

  get beganWallMs(): number {
    return this.timing.beganWallMs;
  }

  /** One object, overwritten at each call: copy it to keep it. */
  get phases(): ExchangePhases {
    return this.timing.phases(this.placement);
  }

  get status(): number {
    return this.response.status;
  }

  get bytesReceived(): number {
    return this.body.bytesReceived;
  }

  get bytesSent(): number {
    return this.response.bytesSent;
  }

  get termination(): Termination {
    return this.response.termination;
  }

  get attempts(): number {
    return this.placement.attempts;
  }

  get wasRedispatched(): boolean {
    return this.tries.wasRedispatched;
  }

  get retryVerdict(): RetryVerdict {
    return this.placement.retryVerdict;
  }

  get failureKind(): FailureKind | null {
    return this.tries.lastFailure?.kind ?? null;
  }

  get wasUpgraded(): boolean {
    return this.response.wasUpgraded;
  }

  get endpointQueuePosition(): number {
    return this.placement.endpointQueuePosition;
  }

  get upstreamQueuePosition(): number {
    return this.placement.upstreamQueuePosition;
  }

  // ---- ClientEvents

  onBodyData(chunk: Uint8Array): void {
    this.body.received(chunk.byteLength);
    if (!this.isDone) this.#hooks.clientData(this, chunk);
  }

  onBodyEnd(trailers: FieldList | null): void {
    this.body.ended(trailers);
    if (!this.isDone) this.#hooks.clientEnd(this, trailers);
  }

  onClientDrain(): void {
    if (!this.isDone) this.#hooks.clientDrain(this);
  }

  onResponseFlushed(): void {
    if (!this.isDone) this.#hooks.clientFlushed(this);
  }

  /** A request that only waits is dropped; one that an endpoint has may have done its work, and is answered. */
  onClientHalfClosed(afterMs: number): void {
    const isWaiting = this.#state === STATE.queued || this.#state === STATE.backoff;
    if (isWaiting && afterMs > HALF_CLOSE_MS) this.onClientGone('closed');
  }

  onClientGone(why: ClientGone): void {
    if (!this.isDone) this.#hooks.clientGone(this, why);
  }

  #timerFired(): void {
    if (!this.isDone) this.#hooks.deadline(this);
  }
}
