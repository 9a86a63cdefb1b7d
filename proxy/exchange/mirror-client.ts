// The client side of a mirrored request: gives its body, and discards its response. Thread: worker.

import type { ClientConnection, ClientEvents, ClientSide } from '../../core/exchange-contract.ts';
import type { FieldList } from '../../core/head.ts';
import type { MirrorCopy } from '../../core/policy/mirror-service.ts';

export class MirrorClient implements ClientSide {
  /** That of the client whose request is copied. */
  readonly connection: ClientConnection;
  readonly copy: MirrorCopy;
  readonly #trailers: FieldList | null;
  #events: ClientEvents | null = null;
  #sentChunks = 0;
  #isPaused = true;
  #hasEnded = false;

  /** @param trailers of the request; null for none */
  constructor(connection: ClientConnection, copy: MirrorCopy, trailers: FieldList | null) {
    this.connection = connection;
    this.copy = copy;
    this.#trailers = trailers;
  }

  /** Sets the receiver of the events, before the exchange begins. */
  attach(events: ClientEvents): void {
    this.#events = events;
  }

  sendInterim(): void {}

  sendHead(): void {}

  sendData(): boolean {
    return true;
  }

  sendEnd(): void {
    this.#events!.onResponseFlushed();
  }

  sendLocalReply(): void {
    this.#events!.onResponseFlushed();
  }

  cut(): void {}

  resumeBody(): void {
    // The endpoint may take more within the call that gives it a chunk.
    if (!this.#isPaused || this.#hasEnded) return;
    this.#isPaused = false;
    const { chunks } = this.copy;
    while (!this.#isPaused && this.#sentChunks < chunks.length) {
      this.#events!.onBodyData(chunks[this.#sentChunks++]!);
    }
    if (this.#isPaused || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events!.onBodyEnd(this.#trailers);
  }

  pauseBody(): void {
    this.#isPaused = true;
  }
}
