// The data of an exchange, in groups that write their own fields, and its record for observers. Thread: worker.

import type { ClientConnection, ClientSide, UpgradeRequest } from '../../core/exchange-contract.ts';
import type { ExchangePhases, ExchangeRecord, RetryVerdict } from '../../core/exchange-record.ts';
import type { FailureKind } from '../../core/failure.ts';
import type { RequestHead } from '../../core/head.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { Termination } from '../../core/termination.ts';
import { Placement } from '../placement/placeable.ts';
import { ExchangeTiming } from './exchange-timing.ts';
import { LoadReading } from './load-at-end.ts';
import { RequestBody } from './request-body.ts';
import { ResponseProgress } from './response-progress.ts';
import type { Runtime, UpstreamRuntime } from './runtime.ts';
import { Tries } from './tries.ts';

/** The request that an exchange begins with. */
export interface ExchangeStart {
  readonly client: ClientSide;
  readonly head: RequestHead;
  readonly upgrade: UpgradeRequest | null;
}

/** The part of Exchange that has no behaviour. `Self` is Exchange, which owns the attempts. */
export abstract class ExchangeData<Self> implements ExchangeRecord {
  client!: ClientSide;
  /** As endpoints get it: the client's, or a changed one. */
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
  readonly tries = new Tries<Self>();
  readonly response = new ResponseProgress();
  readonly load = new LoadReading();
  /** Resets every group but the times and the placement, which need the time of the new request. */
  protected reset(start: ExchangeStart, runtime: Runtime): void {
    this.client = start.client;
    this.head = start.head;
    this.upgrade = start.upgrade;
    this.requestId = '';
    this.clientAddress = '';
    this.runtime = runtime;
    this.route = null;
    this.target = null;
    this.body.begin(start.head.bodyLength);
    this.tries.reset();
    this.response.reset();
    this.load.reset();
  }

  identify(requestId: string, clientAddress: string): void {
    this.requestId = requestId;
    this.clientAddress = clientAddress;
  }

  routeTo(route: RouteSnapshot, target: UpstreamRuntime | null): void {
    this.route = route;
    this.target = target;
  }

  /** Moves a running exchange to a newer Runtime, in which its upstream, if it has one, still exists. */
  moveTo(runtime: Runtime, target: UpstreamRuntime | null): void {
    this.runtime = runtime;
    this.target = target;
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

  get endpointProtocol(): 'http1' | 'http2' | null {
    return this.tries.attempt?.handle?.protocol ?? null;
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

  /** Errors of other kinds are the system's, and have their codes as kinds. */
  get failureReason(): string | null {
    const { lastFailure } = this.tries;
    const isMalformed = lastFailure?.kind === 'malformed-response' || lastFailure?.kind === 'head-too-large';
    return isMalformed ? (lastFailure.cause?.message ?? null) : null;
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
}
