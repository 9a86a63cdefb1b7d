// A WebSocket of an upstream with `protocol: auto`: over HTTP/2 where the endpoint offers that for WebSockets (RFC 8441), else
// over an HTTP/1.1 connection. The endpoint's choice is known before any of the request is sent. Thread: worker.

import type { DialTimes, HeadChanges, TunnelEnd, TunnelEvents, TunnelHandle } from '../../../core/exchange-contract.ts';
import type { Failure } from '../../../core/failure.ts';
import type { ResponseHead } from '../../../core/head.ts';
import { Http1Chosen, TunnelsNotOffered } from '../http2/http2-pool.ts';

export class AlpnTunnel implements TunnelEvents, TunnelHandle {
  readonly #events: TunnelEvents;
  readonly #beginHttp1: () => TunnelHandle;
  #handle: TunnelHandle;

  /** @param beginHttp2 emits no event before it returns */
  constructor(
    events: TunnelEvents,
    beginHttp2: (events: TunnelEvents) => TunnelHandle,
    beginHttp1: () => TunnelHandle,
  ) {
    this.#events = events;
    this.#beginHttp1 = beginHttp1;
    this.#handle = beginHttp2(this);
  }

  get protocol(): 'http1' | 'http2' {
    return this.#handle.protocol;
  }

  abort(): void {
    this.#handle.abort();
  }

  close(): void {
    this.#handle.close();
  }

  onDialled(times: DialTimes): void {
    this.#events.onDialled?.(times);
  }

  onLease(reused: boolean): void {
    this.#events.onLease(reused);
  }

  onTunnelHead(head: ResponseHead): HeadChanges | null {
    return this.#events.onTunnelHead(head);
  }

  onOpen(): void {
    this.#events.onOpen();
  }

  onRefused(status: number): void {
    this.#events.onRefused(status);
  }

  onFailure(failure: Failure): void {
    const { cause } = failure;
    const isHttp1 = cause instanceof Http1Chosen || cause instanceof TunnelsNotOffered;
    if (isHttp1) this.#handle = this.#beginHttp1();
    else this.#events.onFailure(failure);
  }

  onClosed(end: TunnelEnd): void {
    this.#events.onClosed(end);
  }
}
