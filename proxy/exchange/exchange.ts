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
import type { EndpointSnapshot, RouteSnapshot, UpstreamSnapshot } from '../../core/snapshot.ts';
import type { Termination } from '../../core/termination.ts';
import { WheelTimer } from '../../core/timer-wheel.ts';
import type { ReplayBuffer } from './replay-buffer.ts';
import type { Runtime, UpstreamRuntime } from './runtime.ts';
import type { StickyChoice } from './sticky-cookie.ts';

/** Where an exchange is. Edges go forward only, but for a retry: sent -> placing. */
export type ExchangeState = 'routing' | 'queued' | 'placing' | 'sent' | 'relaying' | 'replied' | 'tunnel' | 'done';

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

export class Exchange implements ClientEvents, ExchangeRecord {
  readonly hooks: ExchangeHooks;
  readonly client: ClientSide;
  readonly head: RequestHead;
  readonly upgrade: UpgradeRequest | null;
  /** The Runtime that it began with: a reload doesn't touch it. */
  readonly runtime: Runtime;
  state: ExchangeState = 'routing';

  route: RouteSnapshot | null = null;
  target: UpstreamRuntime | null = null;
  attempt: AttemptInProgress | null = null;
  /** The other one of two that run: a hedge, or the one that was hedged. */
  rival: AttemptInProgress | null = null;
  wasHedged = false;
  /** Attempts that were hedges: they don't count as retries. */
  hedges = 0;
  wasFoundOverdue = false;
  endpoint: EndpointSnapshot | null = null;
  insertedFields: FieldList = [];
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
  triedCount = 0;
  readonly triedSlots = new Int32Array(MAX_TRIED);

  attempts = 0;
  wasRedispatched = false;
  mustUseFresh = false;
  retryVerdict: RetryVerdict = 'none';
  lastFailure: Failure | null = null;

  /** The client's body. */
  replay: ReplayBuffer | null = null;
  isBodyFlowing = false;
  /** The endpoint takes no more of it for now. */
  isBodyHeld = false;
  isBodyEnded: boolean;
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
  readonly receivedMs: number;
  readonly beganMs: number;
  readonly beganWallMs: number;
  queuedMs = 0;
  placedMs = 0;
  leasedMs = 0;
  requestEndMs = 0;
  headMs = 0;
  endedMs = 0;
  /** Last time that the endpoint gave or took a byte. */
  activeMs = 0;
  readonly timer: WheelTimer;

  constructor(
    hooks: ExchangeHooks,
    runtime: Runtime,
    client: ClientSide,
    head: RequestHead,
    upgrade: UpgradeRequest | null,
    receivedMs: number,
    nowMs: number,
    beganWallMs: number,
  ) {
    this.hooks = hooks;
    this.runtime = runtime;
    this.client = client;
    this.head = head;
    this.upgrade = upgrade;
    this.isBodyEnded = head.bodyLength === 0;
    this.receivedMs = receivedMs;
    this.beganMs = nowMs;
    this.beganWallMs = beganWallMs;
    this.nowMs = nowMs;
    this.timer = new WheelTimer(() => this.hooks.deadline(this));
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

  get isDone(): boolean {
    return this.state === 'done';
  }

  get phases(): ExchangePhases {
    const between = (from: number, to: number): number => (from === 0 || to === 0 ? -1 : Math.max(0, to - from));
    return {
      requestMs: this.beganMs - this.receivedMs,
      queueMs:
        this.queuedMs === 0 ? (this.placedMs === 0 ? -1 : 0) : between(this.queuedMs, this.placedMs || this.endedMs),
      connectMs: between(this.placedMs, this.leasedMs),
      responseMs: between(this.leasedMs, this.headMs),
      totalMs: Math.max(0, this.endedMs - this.receivedMs),
    };
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

  onClientGone(why: ClientGone): void {
    if (!this.isDone) this.hooks.clientGone(this, why);
  }
}
