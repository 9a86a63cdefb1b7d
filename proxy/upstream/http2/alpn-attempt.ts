// An attempt of an upstream with `protocol: auto`: begins over HTTP/2, and goes on over HTTP/1.1 where the endpoint chose that
// by ALPN, which shows before any of the request is sent. Thread: worker.

import type { AttemptEvents, AttemptHandle, DialTimes } from '../../../core/exchange-contract.ts';
import type { Failure } from '../../../core/failure.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import { Http1Chosen } from './http2-pool.ts';

/** Begins the attempt over one protocol. */
export type Begin = (events: AttemptEvents) => AttemptHandle;

export class AlpnAttempt implements AttemptEvents, AttemptHandle {
  readonly #events: AttemptEvents;
  readonly #beginHttp1: Begin;
  #handle: AttemptHandle;

  constructor(events: AttemptEvents, beginHttp2: Begin, beginHttp1: Begin) {
    this.#events = events;
    this.#beginHttp1 = beginHttp1;
    this.#handle = NO_HANDLE;
    const handle = beginHttp2(this);
    // The choice of HTTP/1.1 may have been known at once.
    if (this.#handle === NO_HANDLE) this.#handle = handle;
  }

  get protocol(): 'http1' | 'http2' {
    return this.#handle.protocol;
  }

  sendBody(chunk: Uint8Array): boolean {
    return this.#handle.sendBody(chunk);
  }

  endBody(trailers: FieldList | null): void {
    this.#handle.endBody(trailers);
  }

  resume(): void {
    this.#handle.resume();
  }

  abort(): void {
    this.#handle.abort();
  }

  onDialled(times: DialTimes): void {
    this.#events.onDialled?.(times);
  }

  onLease(reused: boolean): void {
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
    this.#events.onHead(head);
  }

  onData(chunk: Uint8Array): boolean {
    return this.#events.onData(chunk);
  }

  onEarlyEnd(trailers: FieldList | null): boolean {
    return this.#events.onEarlyEnd?.(trailers) === true;
  }

  onEnd(trailers: FieldList | null): void {
    this.#events.onEnd(trailers);
  }

  onFailure(failure: Failure): void {
    if (failure.cause instanceof Http1Chosen) this.#handle = this.#beginHttp1(this.#events);
    else this.#events.onFailure(failure);
  }
}

const NO_HANDLE: AttemptHandle = {
  protocol: 'http2',
  sendBody: () => true,
  endBody: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};
