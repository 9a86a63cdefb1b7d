// One attempt at one endpoint: holds its place in the in-flight count and reports its events until it is over.
// Thread: worker.

import type {
  AttemptEvents,
  AttemptHandle,
  AttemptRequest,
  HeadChanges,
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
import { retryBegan, retryEnded } from '../placement/retry-budget.ts';

/** Receives the events of attempts. Events of an attempt that is over are dropped. */
export interface AttemptHooks<Owner> {
  attemptLeased(owner: Owner, attempt: Attempt<Owner>): void;
  attemptBodyWanted(owner: Owner, attempt: Attempt<Owner>): void;
  attemptDrain(owner: Owner): void;
  attemptInterim(owner: Owner, attempt: Attempt<Owner>, head: ResponseHead): void;
  attemptHead(owner: Owner, attempt: Attempt<Owner>, head: ResponseHead): void;
  /** Returns false where the client takes no more for now. */
  attemptData(owner: Owner, chunk: Uint8Array): boolean;
  /** Returns whether the rest of the request body follows. */
  attemptEarlyEnd(owner: Owner, trailers: FieldList | null): boolean;
  attemptEnd(owner: Owner, attempt: Attempt<Owner>, trailers: FieldList | null): void;
  attemptFailed(owner: Owner, attempt: Attempt<Owner>, failure: Failure): void;
  /** Returns null where the exchange has replied instead. */
  tunnelHead(owner: Owner, attempt: Attempt<Owner>, head: ResponseHead): HeadChanges | null;
  tunnelOpen(owner: Owner, attempt: Attempt<Owner>): void;
  tunnelRefused(owner: Owner, attempt: Attempt<Owner>, status: number): void;
  tunnelClosed(owner: Owner, attempt: Attempt<Owner>, end: TunnelEnd): void;
  /** The attempt is over and has released its place at the endpoint. */
  placeFreed(owner: Owner): void;
}

export class Attempt<Owner> implements AttemptEvents, TunnelEvents {
  readonly owner: Owner;
  endpoint!: EndpointSnapshot;
  /** Monotonic ms. */
  beganMs = 0;
  leasedMs = 0;
  isReused = false;
  handle: AttemptHandle | null = null;
  /** Whether the transport holds response bytes until the client takes more. */
  isHeld = false;
  /** Whether this attempt decides about a half-open endpoint. */
  isTrial = false;
  readonly #hooks: AttemptHooks<Owner>;
  readonly #region: Region;
  readonly #worker: number;
  #upstream = 0;
  #isRetry = false;
  #tunnel: TunnelHandle | null = null;
  #isOver = false;
  #wantsBody = false;

  constructor(hooks: AttemptHooks<Owner>, owner: Owner, region: Region, worker: number) {
    this.#hooks = hooks;
    this.owner = owner;
    this.#region = region;
    this.#worker = worker;
  }

  /**
   * Prepares the attempt; sets every field. It releases its place at the endpoint when it is over.
   * @param upstream index of the endpoint's upstream
   * @param nowMs monotonic ms
   */
  begin(endpoint: EndpointSnapshot, upstream: number, nowMs: number, isRetry: boolean, isTrial: boolean): void {
    this.endpoint = endpoint;
    this.beganMs = nowMs;
    this.leasedMs = 0;
    this.isReused = false;
    this.handle = null;
    this.isHeld = false;
    this.isTrial = isTrial;
    this.#upstream = upstream;
    this.#isRetry = isRetry;
    this.#tunnel = null;
    this.#isOver = false;
    this.#wantsBody = false;
    if (isRetry) retryBegan(this.#region, this.#worker, upstream);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends the request. Events may arrive before this returns, even the last one. */
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
      get protocol() {
        return tunnel.protocol;
      },
      abort: () => tunnel.abort(),
      sendBody: () => true,
      endBody: () => undefined,
      resume: () => undefined,
    };
  }

  /** The transport found a connection. @param nowMs monotonic ms */
  leased(nowMs: number): void {
    this.leasedMs = nowMs;
  }

  /** Lets held response bytes flow again. */
  resume(): void {
    this.isHeld = false;
    this.handle?.resume();
  }

  /** Gives up the trial of a half-open endpoint: it is decided, or ended without a verdict. */
  endTrial(): void {
    this.isTrial = false;
  }

  /** Cancels the attempt. No event follows. */
  abort(): void {
    if (this.#isOver) return;
    this.#finish();
    this.handle?.abort();
  }

  /** Closes a tunnel as a drain does; its end is reported. */
  closeTunnel(): void {
    this.#tunnel?.close();
  }

  onLease(reused: boolean): void {
    this.isReused = reused;
    if (!this.#isOver) this.#hooks.attemptLeased(this.owner, this);
  }

  onBodyWanted(): void {
    if (this.#isOver) return;
    this.#wantsBody = true;
    if (this.handle !== null) this.#hooks.attemptBodyWanted(this.owner, this);
  }

  onEndpointDrain(): void {
    if (!this.#isOver) this.#hooks.attemptDrain(this.owner);
  }

  onInterim(head: ResponseHead): void {
    if (!this.#isOver) this.#hooks.attemptInterim(this.owner, this, head);
  }

  onHead(head: ResponseHead): void {
    if (!this.#isOver) this.#hooks.attemptHead(this.owner, this, head);
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.isHeld = !this.#hooks.attemptData(this.owner, chunk);
    return !this.isHeld;
  }

  onEarlyEnd(trailers: FieldList | null): boolean {
    return !this.#isOver && this.#hooks.attemptEarlyEnd(this.owner, trailers);
  }

  onEnd(trailers: FieldList | null): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.attemptEnd(this.owner, this, trailers);
  }

  onFailure(failure: Failure): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.attemptFailed(this.owner, this, failure);
  }

  onTunnelHead(head: ResponseHead): HeadChanges | null {
    return this.#isOver ? null : this.#hooks.tunnelHead(this.owner, this, head);
  }

  onOpen(): void {
    if (!this.#isOver) this.#hooks.tunnelOpen(this.owner, this);
  }

  onRefused(status: number): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.tunnelRefused(this.owner, this, status);
  }

  onClosed(end: TunnelEnd): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hooks.tunnelClosed(this.owner, this, end);
  }

  #finish(): void {
    this.#isOver = true;
    release(this.#region, this.#worker, this.endpoint.slot);
    if (this.#isRetry) retryEnded(this.#region, this.#worker, this.#upstream);
    this.#hooks.placeFreed(this.owner);
  }
}
