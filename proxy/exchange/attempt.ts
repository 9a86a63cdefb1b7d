// One try of an exchange at one endpoint: holds its place in the in-flight count and passes its events on while it
// is the current one. Thread: worker.

import type {
  AttemptEvents,
  AttemptHandle,
  AttemptRequest,
  Transport,
  TunnelEnd,
  TunnelEvents,
  TunnelHandle,
  Tunnels,
  UpgradeRequest,
} from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import type { FieldList, ResponseHead } from '../../core/head.ts';
import { release } from '../../core/memory/reservation.ts';
import type { Region } from '../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { AttemptInProgress, Exchange } from './exchange.ts';

/** Who decides on an attempt's events: implemented by forward.ts. */
export interface AttemptHooks {
  attemptLeased(exchange: Exchange, attempt: Attempt): void;
  attemptBodyWanted(exchange: Exchange, attempt: Attempt): void;
  attemptDrain(exchange: Exchange, attempt: Attempt): void;
  attemptInterim(exchange: Exchange, attempt: Attempt, head: ResponseHead): void;
  attemptHead(exchange: Exchange, attempt: Attempt, head: ResponseHead): void;
  attemptData(exchange: Exchange, attempt: Attempt, chunk: Uint8Array): boolean;
  attemptEnd(exchange: Exchange, attempt: Attempt, trailers: FieldList | null): void;
  attemptFailed(exchange: Exchange, attempt: Attempt, failure: Failure): void;
  /** A place at an endpoint became free. */
  placeFreed(exchange: Exchange): void;
  readonly tunnels: TunnelHooks;
}

/** Who decides on the events of an attempt that is a tunnel. */
export interface TunnelHooks {
  tunnelOpen(exchange: Exchange, attempt: Attempt): void;
  tunnelRefused(exchange: Exchange, attempt: Attempt, status: number): void;
  tunnelClosed(exchange: Exchange, attempt: Attempt, end: TunnelEnd): void;
}

export class Attempt implements AttemptEvents, TunnelEvents, AttemptInProgress {
  readonly exchange: Exchange;
  endpoint!: EndpointSnapshot;
  beganMs = 0;
  handle: AttemptHandle | null = null;
  isHeld = false;
  leasedMs = 0;
  isReused = false;
  /** Whether this attempt decides a half-open endpoint. */
  isTrial = false;
  readonly #hooks: AttemptHooks;
  readonly #region: Region;
  readonly #worker: number;
  #tunnel: TunnelHandle | null = null;
  #isOver = false;
  #wantsBody = false;

  constructor(hooks: AttemptHooks, exchange: Exchange, region: Region, worker: number) {
    this.#hooks = hooks;
    this.exchange = exchange;
    this.#region = region;
    this.#worker = worker;
  }

  /** The caller has reserved a place at `endpoint`; the attempt gives it back when it is over. Sets every field. */
  begin(endpoint: EndpointSnapshot, nowMs: number, isTrial: boolean): void {
    this.endpoint = endpoint;
    this.beganMs = nowMs;
    this.handle = null;
    this.isHeld = false;
    this.leasedMs = 0;
    this.isReused = false;
    this.isTrial = isTrial;
    this.#tunnel = null;
    this.#isOver = false;
    this.#wantsBody = false;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends the request. Events may come before this returns, even the last one. */
  start(transport: Transport, request: AttemptRequest): void {
    const handle = transport.send(request, this);
    this.handle = handle;
    if (this.#isOver) return;
    if (this.#wantsBody) this.onBodyWanted();
  }

  /** Opens a tunnel instead. */
  startTunnel(tunnels: Tunnels, upgrade: UpgradeRequest, request: AttemptRequest): void {
    const tunnel = tunnels.open(upgrade, request, this);
    this.#tunnel = tunnel;
    this.handle = {
      abort: () => tunnel.abort(),
      sendBody: () => true,
      endBody: () => undefined,
      resume: () => undefined,
    };
  }

  /** Ends the attempt from our side. */
  abort(): void {
    if (this.#isOver) return;
    this.#finish();
    this.handle?.abort();
  }

  /** Ends a tunnel as a drain does; its end is told. */
  closeTunnel(): void {
    this.#tunnel?.close();
  }

  onLease(reused: boolean): void {
    this.isReused = reused;
    if (!this.#isOver) this.#hooks.attemptLeased(this.exchange, this);
  }

  onBodyWanted(): void {
    if (this.#isOver) return;
    this.#wantsBody = true;
    if (this.handle !== null) this.#hooks.attemptBodyWanted(this.exchange, this);
  }

  onEndpointDrain(): void {
    if (!this.#isOver) this.#hooks.attemptDrain(this.exchange, this);
  }

  onInterim(head: ResponseHead): void {
    if (!this.#isOver) this.#hooks.attemptInterim(this.exchange, this, head);
  }

  onHead(head: ResponseHead): void {
    if (!this.#isOver) this.#hooks.attemptHead(this.exchange, this, head);
  }

  onData(chunk: Uint8Array): boolean {
    return this.#isOver ? true : this.#hooks.attemptData(this.exchange, this, chunk);
  }

  onEnd(trailers: FieldList | null): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.attemptEnd(this.exchange, this, trailers);
  }

  onFailure(failure: Failure): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.attemptFailed(this.exchange, this, failure);
  }

  onOpen(): void {
    if (!this.#isOver) this.#hooks.tunnels.tunnelOpen(this.exchange, this);
  }

  onRefused(status: number): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.tunnels.tunnelRefused(this.exchange, this, status);
  }

  onClosed(end: TunnelEnd): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.tunnels.tunnelClosed(this.exchange, this, end);
  }

  #finish(): void {
    this.#isOver = true;
    release(this.#region, this.#worker, this.endpoint.slot);
    this.#hooks.placeFreed(this.exchange);
  }
}
