// Chooses the transport of an attempt: our engine for heads that our client side has scanned, undici for all others.
// Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../core/exchange-contract.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { ScannedRequestHead } from '../wire/scanned-request-head.ts';

export class TransportSwitch implements Transport {
  readonly #fast: Transport;
  readonly #general: Transport;

  constructor(fast: Transport, general: Transport) {
    this.#fast = fast;
    this.#general = general;
  }

  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    return request.head instanceof ScannedRequestHead
      ? this.#fast.send(request, events)
      : this.#general.send(request, events);
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    this.#fast.update(upstreams);
    this.#general.update(upstreams);
  }

  dropIdle(slot: number): void {
    this.#fast.dropIdle(slot);
    this.#general.dropIdle(slot);
  }

  async close(): Promise<void> {
    await Promise.all([this.#fast.close(), this.#general.close()]);
  }
}
