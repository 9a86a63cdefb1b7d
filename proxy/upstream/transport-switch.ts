// Chooses the transport of an attempt by the protocol of its upstream; over HTTP/1.1, our engine for heads that our client
// side has scanned, and undici for all others. Thread: worker.

import type { AmendedUpstream } from '../../core/endpoint-delta.ts';
import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../core/exchange-contract.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { ScannedRequestHead } from '../wire/scanned-request-head.ts';
import { AlpnAttempt } from './http2/alpn-attempt.ts';

export class TransportSwitch implements Transport {
  readonly #fast: Transport;
  readonly #general: Transport;
  readonly #http2: Transport;

  constructor(fast: Transport, general: Transport, http2: Transport) {
    this.#fast = fast;
    this.#general = general;
    this.#http2 = http2;
  }

  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const { protocol } = request.upstream;
    if (protocol === 'http1') return this.#sendHttp1(request, events);
    if (protocol === 'http2') return this.#http2.send(request, events);
    return new AlpnAttempt(
      events,
      (inner) => this.#http2.send(request, inner),
      (inner) => this.#sendHttp1(request, inner),
    );
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    this.#fast.update(upstreams);
    this.#general.update(upstreams);
    this.#http2.update(upstreams.filter(({ protocol }) => protocol !== 'http1'));
  }

  amend(upstreams: readonly AmendedUpstream[]): void {
    this.#fast.amend(upstreams);
    this.#general.amend(upstreams);
    this.#http2.amend(upstreams.filter(({ upstream }) => upstream.protocol !== 'http1'));
  }

  dropIdle(slot: number): void {
    for (const transport of [this.#fast, this.#general, this.#http2]) transport.dropIdle(slot);
  }

  async close(): Promise<void> {
    await Promise.all([this.#fast.close(), this.#general.close(), this.#http2.close()]);
  }

  #sendHttp1(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const isScanned = request.head instanceof ScannedRequestHead;
    return isScanned ? this.#fast.send(request, events) : this.#general.send(request, events);
  }
}
