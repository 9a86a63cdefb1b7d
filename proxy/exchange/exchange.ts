// An exchange: one request and its response, from the request head to the log record. It owns its state; forward.ts makes
// the decisions. Thread: worker.

import type { ClientEvents, ClientGone } from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import type { FieldList } from '../../core/head.ts';
import { WheelTimer } from '../../core/timer-wheel.ts';
import { NO_POLICIES, PolicyView, type ViewedExchange } from '../policies/policy-view.ts';
import type { Placeable } from '../placement/placeable.ts';
import { isHedgeable, isIdempotentRequest } from '../placement/retry-verdict.ts';
import { ExchangeData, type ExchangeStart } from './exchange-data.ts';
import { assertTransition, type ExchangeState, STATE } from './exchange-state.ts';
import type { Linked, OpenList } from './open-list.ts';
import type { Runtime } from './runtime.ts';

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

/**
 * Reused for another request where its client side sends no events after the flush (ClientSide.isSilentAfterFlush):
 * `begin` resets every group, and a test compares a reused exchange with a new one.
 */
export class Exchange
  extends ExchangeData<Exchange>
  implements ClientEvents, Placeable, ViewedExchange, Linked<Exchange>
{
  readonly #hooks: ExchangeHooks;
  #state: ExchangeState = STATE.done;
  readonly policies = new PolicyView(this);
  readonly timer: WheelTimer = new WheelTimer(() => this.#timerFired());

  /** Written by OpenList alone. */
  openIn: OpenList<Exchange> | null = null;
  earlierOpen: Exchange | null = null;
  laterOpen: Exchange | null = null;

  constructor(hooks: ExchangeHooks) {
    super();
    this.#hooks = hooks;
  }

  /**
   * Begins a request.
   * @param receivedMs,nowMs monotonic ms: when its first byte was received, and now
   * @param beganWallMs wall-clock ms of its first byte
   */
  begin(start: ExchangeStart, runtime: Runtime, receivedMs: number, nowMs: number, beganWallMs: number): void {
    this.reset(start, runtime);
    this.timing.begin(receivedMs, nowMs, beganWallMs);
    this.placement.reset(nowMs);
    this.policies.begin(NO_POLICIES);
    this.enter(STATE.routing);
  }

  // ---- state

  get state(): ExchangeState {
    return this.#state;
  }

  get isDone(): boolean {
    return this.#state === STATE.done;
  }

  /** Whether the response head of an endpoint has gone to the client, and more of either message may follow. */
  get isStreaming(): boolean {
    const state = this.#state;
    return state === STATE.relaying || state === STATE.uploading || state === STATE.tunnel;
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
    const isKnownElsewhere = this.upgrade !== null || !this.body.isEnded || this.policies.waitNumber > 0;
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

  get responseTrailers(): FieldList | null {
    return this.response.trailers;
  }

  preferSlot(slot: number): void {
    this.placement.stickySlot = slot;
  }

  policyMemo(policy: string): unknown {
    return this.policies.memoOf(policy);
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
