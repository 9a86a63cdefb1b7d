// An exchange: one request and its response, from the head to the log line. What is known of it, and no decisions:
// those are in forward.ts. Thread: worker.

import type {
  AttemptHandle,
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
import type { Linked, OpenList } from './open-list.ts';
import type { ReplayBuffer } from './replay-buffer.ts';
import type { Runtime, UpstreamRuntime } from './runtime.ts';
import type { StickyChoice } from '../policies/sticky-cookies.ts';

/** Where an exchange is. Edges go forward only, but for a retry: sent -> (pausing ->) placing. */
export type ExchangeState =
  | 'routing'
  | 'queued'
  | 'placing'
  | 'sent'
  | 'pausing'
  | 'relaying'
  | 'replied'
  | 'tunnel'
  | 'done';

/** Who decides: implemented by forward.ts. */
export interface ExchangeHooks {
  clientData(exchange: Exchange, chunk: Uint8Array): void;
  clientEnd(exchange: Exchange, trailers: FieldList | null): void;
  clientDrain(exchange: Exchange): void;
  clientFlushed(exchange: Exchange): void;
  clientGone(exchange: Exchange, why: ClientGone): void;
  deadline(exchange: Exchange): void;
}

/** One try of an exchange: what it holds while it lasts. */
export interface AttemptInProgress {
  readonly endpoint: EndpointSnapshot;
  handle: AttemptHandle | null;
  /** Response bytes were refused and wait for the client. */
  isHeld: boolean;
  /** Monotonic ms. */
  readonly beganMs: number;
  leasedMs: number;
  isReused: boolean;
}

/** No more endpoints than this are tried by one exchange. */
export const MAX_TRIED = 16;

/** Clients that half-close on purpose do so right after their request; later it is nearly always a client giving up. */
const HALF_CLOSE_MS = 1000;

const NO_FIELDS: FieldList = [];

/** What an exchange is given when it begins. */
export interface ExchangeStart {
  readonly client: ClientSide;
  readonly head: RequestHead;
  readonly upgrade: UpgradeRequest | null;
}

/**
 * Used again for another request where its client's side tells nothing more (ClientSide.isSilentAfterFlush): `begin`
 * sets every field, and a test compares what has been used with what is new.
 */
export class Exchange implements ClientEvents, ExchangeRecord, Linked<Exchange> {
  readonly hooks: ExchangeHooks;
  client!: ClientSide;
  head!: RequestHead;
  upgrade: UpgradeRequest | null = null;
  /** The Runtime that it began with: a reload doesn't touch it; see RuntimeHistory for when it moves on. */
  runtime!: Runtime;
  /** Where it is among what is open: OpenList alone sets these. */
  openIn: OpenList<Exchange> | null = null;
  earlierOpen: Exchange | null = null;
  laterOpen: Exchange | null = null;
  state: ExchangeState = 'routing';

  route: RouteSnapshot | null = null;
  target: UpstreamRuntime | null = null;
  attempt: AttemptInProgress | null = null;
  /** The other one of two that run: a hedge, or the one that was hedged. */
  rival: AttemptInProgress | null = null;
  wasHedged = false;
  /** Attempts that were hedges: they don't count as retries. */
  hedges = 0;
  wasMarkedStalled = false;
  endpoint: EndpointSnapshot | null = null;
  insertedFields: FieldList = NO_FIELDS;
  requestId = '';
  clientAddress = '';

  /** For picks (PickRequest). */
  hash1 = 0;
  hash2 = 0;
  nowMs = 0;
  mayRetry = false;
  mayUseLastResort = false;
  /** What the client's sticky cookie says; null where it has none that is valid. */
  stickyChoice: StickyChoice | null = null;
  /** The client's cookies don't go to endpoints as they came: ours is among them. */
  hasOwnCookies = false;
  triedCount = 0;
  readonly triedSlots = new Int32Array(MAX_TRIED);

  attempts = 0;
  wasRedispatched = false;
  mustUseFresh = false;
  /** The present try is the last one: its own timeout has come, and no other may follow. */
  isUncut = false;
  /** After the pause endpoints that were tried may be asked again. */
  startsOver = false;
  retryVerdict: RetryVerdict = 'none';
  lastFailure: Failure | null = null;

  /** The client's body. */
  replay: ReplayBuffer | null = null;
  isBodyFlowing = false;
  /** The endpoint takes no more of it for now. */
  isBodyHeld = false;
  isBodyEnded = false;
  trailers: FieldList | null = null;

  hasResponseBegun = false;
  wasUpgraded = false;
  status = 0;
  bytesReceived = 0;
  bytesSent = 0;
  termination: Termination = 'ok';
  endpointQueuePosition = 0;
  upstreamQueuePosition = 0;
  openConnections = 0;
  listenerConnections = 0;
  upstreamInflight = 0;
  endpointInflight = 0;

  /** Times in monotonic ms; 0 where not reached. */
  receivedMs = 0;
  beganMs = 0;
  beganWallMs = 0;
  queuedMs = 0;
  placedMs = 0;
  leasedMs = 0;
  requestEndMs = 0;
  headMs = 0;
  endedMs = 0;
  /** Last time that the endpoint gave or took a byte. */
  activeMs = 0;
  /** What its first attempt was, the last time that it was used: that is used again, too. Stays over `begin`. */
  spareAttempt: AttemptInProgress | null = null;
  readonly #phases = { requestMs: 0, queueMs: 0, connectMs: 0, responseMs: 0, totalMs: 0 };
  readonly timer: WheelTimer = new WheelTimer(() => this.hooks.deadline(this));

  constructor(hooks: ExchangeHooks) {
    this.hooks = hooks;
  }

  /**
   * Begins a request.
   * @param receivedMs,nowMs monotonic ms: when its first byte came, and now
   * @param beganWallMs wall-clock ms of its first byte
   */
  // size: every field is set, and nothing else is done.
  begin(start: ExchangeStart, runtime: Runtime, receivedMs: number, nowMs: number, beganWallMs: number): void {
    this.client = start.client;
    this.head = start.head;
    this.upgrade = start.upgrade;
    this.runtime = runtime;
    this.state = 'routing';
    this.route = null;
    this.target = null;
    this.attempt = null;
    this.rival = null;
    this.wasHedged = false;
    this.hedges = 0;
    this.wasMarkedStalled = false;
    this.endpoint = null;
    this.insertedFields = NO_FIELDS;
    this.requestId = '';
    this.clientAddress = '';
    this.hash1 = 0;
    this.hash2 = 0;
    this.mayRetry = false;
    this.mayUseLastResort = false;
    this.stickyChoice = null;
    this.hasOwnCookies = false;
    this.triedCount = 0;
    this.attempts = 0;
    this.wasRedispatched = false;
    this.mustUseFresh = false;
    this.isUncut = false;
    this.startsOver = false;
    this.retryVerdict = 'none';
    this.lastFailure = null;
    this.replay = null;
    this.isBodyFlowing = false;
    this.isBodyHeld = false;
    this.trailers = null;
    this.hasResponseBegun = false;
    this.wasUpgraded = false;
    this.status = 0;
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.termination = 'ok';
    this.endpointQueuePosition = 0;
    this.upstreamQueuePosition = 0;
    this.openConnections = 0;
    this.listenerConnections = 0;
    this.upstreamInflight = 0;
    this.endpointInflight = 0;
    this.queuedMs = 0;
    this.placedMs = 0;
    this.leasedMs = 0;
    this.requestEndMs = 0;
    this.headMs = 0;
    this.endedMs = 0;
    this.activeMs = 0;
    this.isBodyEnded = start.head.bodyLength === 0;
    this.receivedMs = receivedMs;
    this.beganMs = nowMs;
    this.beganWallMs = beganWallMs;
    this.nowMs = nowMs;
  }
  get connection(): ClientConnection {
    return this.client.connection;
  }

  get routeName(): string {
    return this.route?.name ?? '';
  }

  get upstream(): UpstreamSnapshot | null {
    return this.target?.snapshot ?? null;
  }

  get failureKind(): FailureKind | null {
    return this.lastFailure?.kind ?? null;
  }

  /** Whether it went the plain way: nobody but its client's side and its one attempt, both over, can know it. */
  get isReusable(): boolean {
    const isPlain = this.termination === 'ok' && this.attempts === 1 && this.lastFailure === null && this.hedges === 0;
    return isPlain && this.upgrade === null && this.replay === null && this.queuedMs === 0;
  }

  get isDone(): boolean {
    return this.state === 'done';
  }

  /** One object, written anew each time: who wants to keep it copies it. */
  get phases(): ExchangePhases {
    const phases = this.#phases;
    phases.requestMs = this.beganMs - this.receivedMs;
    phases.queueMs =
      this.queuedMs === 0 ? (this.placedMs === 0 ? -1 : 0) : between(this.queuedMs, this.placedMs || this.endedMs);
    phases.connectMs = between(this.placedMs, this.leasedMs);
    phases.responseMs = between(this.leasedMs, this.headMs);
    phases.totalMs = Math.max(0, this.endedMs - this.receivedMs);
    return phases;
  }

  onBodyData(chunk: Uint8Array): void {
    this.bytesReceived += chunk.byteLength;
    if (!this.isDone) this.hooks.clientData(this, chunk);
  }

  onBodyEnd(trailers: FieldList | null): void {
    this.isBodyEnded = true;
    this.trailers = trailers;
    if (!this.isDone) this.hooks.clientEnd(this, trailers);
  }

  onClientDrain(): void {
    if (!this.isDone) this.hooks.clientDrain(this);
  }

  onResponseFlushed(): void {
    if (!this.isDone) this.hooks.clientFlushed(this);
  }

  /** A request that only waits is dropped; one that an endpoint has may have done its work, and is answered. */
  onClientHalfClosed(afterMs: number): void {
    const isWaiting = this.state === 'queued' || this.state === 'pausing';
    if (isWaiting && afterMs > HALF_CLOSE_MS) this.onClientGone('closed');
  }

  onClientGone(why: ClientGone): void {
    if (!this.isDone) this.hooks.clientGone(this, why);
  }
}

/** ms from one time to another; -1 where either was not reached. */
function between(fromMs: number, toMs: number): number {
  return fromMs === 0 || toMs === 0 ? -1 : Math.max(0, toMs - fromMs);
}
