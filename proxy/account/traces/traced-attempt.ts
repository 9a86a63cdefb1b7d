// An attempt of a traced request, between the exchange and the transport: notes the times of its events. Thread: worker.

import type {
  AttemptEvents,
  AttemptHandle,
  DialTimes,
  HeadChanges,
  TunnelEnd,
  TunnelEvents,
  TunnelHandle,
} from '../../../core/exchange-contract.ts';
import type { Failure } from '../../../core/failure.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import type { AttemptTimes } from './attempt-times.ts';

export class TracedAttempt implements AttemptEvents, AttemptHandle {
  readonly #times: AttemptTimes;
  readonly #events: AttemptEvents;
  readonly #nowMs: () => number;
  #handle: AttemptHandle | null = null;

  constructor(times: AttemptTimes, events: AttemptEvents, nowMs: () => number) {
    this.#times = times;
    this.#events = events;
    this.#nowMs = nowMs;
  }

  /** The transport has begun the attempt. Events may have come before. */
  begun(handle: AttemptHandle): void {
    this.#handle = handle;
    this.#times.handle = handle;
  }

  // ---- AttemptHandle; used once `begun` was called

  get protocol(): 'http1' | 'http2' {
    return this.#handle!.protocol;
  }

  sendBody(chunk: Uint8Array): boolean {
    return this.#handle!.sendBody(chunk);
  }

  endBody(trailers: FieldList | null): void {
    this.#handle!.endBody(trailers);
  }

  resume(): void {
    this.#handle!.resume();
  }

  abort(): void {
    this.#times.cancelled(this.#nowMs());
    this.#handle!.abort();
  }

  // ---- AttemptEvents

  onDialled(times: DialTimes): void {
    this.#times.dialled(times, this.#nowMs());
  }

  onLease(reused: boolean): void {
    this.#times.leased(reused, this.#nowMs());
    this.#events.onLease(reused);
  }

  onBodyWanted(): void {
    this.#events.onBodyWanted();
  }

  onEndpointDrain(): void {
    this.#events.onEndpointDrain();
  }

  onInterim(head: ResponseHead): void {
    this.#events.onInterim(head);
  }

  onHead(head: ResponseHead): void {
    this.#times.headReceived(head.status, this.#nowMs());
    this.#events.onHead(head);
  }

  onData(chunk: Uint8Array): boolean {
    return this.#events.onData(chunk);
  }

  onEarlyEnd(trailers: FieldList | null): boolean {
    return this.#events.onEarlyEnd?.(trailers) === true;
  }

  onEnd(trailers: FieldList | null): void {
    this.#times.ended(this.#nowMs());
    this.#events.onEnd(trailers);
  }

  onFailure(failure: Failure): void {
    this.#times.failed(failure.kind, this.#nowMs());
    this.#events.onFailure(failure);
  }
}

export class TracedTunnel implements TunnelEvents, TunnelHandle {
  readonly #times: AttemptTimes;
  readonly #events: TunnelEvents;
  readonly #nowMs: () => number;
  #handle: TunnelHandle | null = null;

  constructor(times: AttemptTimes, events: TunnelEvents, nowMs: () => number) {
    this.#times = times;
    this.#events = events;
    this.#nowMs = nowMs;
  }

  begun(handle: TunnelHandle): void {
    this.#handle = handle;
    this.#times.handle = handle;
  }

  get protocol(): 'http1' | 'http2' {
    return this.#handle!.protocol;
  }

  abort(): void {
    this.#times.cancelled(this.#nowMs());
    this.#handle!.abort();
  }

  close(): void {
    this.#handle!.close();
  }

  onDialled(times: DialTimes): void {
    this.#times.dialled(times, this.#nowMs());
  }

  onLease(reused: boolean): void {
    this.#times.leased(reused, this.#nowMs());
    this.#events.onLease(reused);
  }

  onTunnelHead(head: ResponseHead): HeadChanges | null {
    this.#times.headReceived(head.status, this.#nowMs());
    return this.#events.onTunnelHead(head);
  }

  onOpen(): void {
    this.#events.onOpen();
  }

  onRefused(status: number): void {
    this.#times.ended(this.#nowMs());
    this.#events.onRefused(status);
  }

  onFailure(failure: Failure): void {
    this.#times.failed(failure.kind, this.#nowMs());
    this.#events.onFailure(failure);
  }

  onClosed(end: TunnelEnd): void {
    this.#times.ended(this.#nowMs());
    this.#events.onClosed(end);
  }
}
