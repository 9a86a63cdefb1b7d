// A request's body on its way to undici: what the exchange sends is pushed, what undici can't take is told. Thread: worker.

import { Readable } from 'node:stream';

/** Kept for undici beyond what the socket takes: one read of a client's socket. */
const BUFFER_BYTES = 65_536;

export class RequestBody extends Readable {
  readonly #onDrain: () => void;
  #isFull = false;
  #isClosed = false;

  /** @param onDrain called when more can be taken after `send` had said false */
  constructor(onDrain: () => void) {
    super({ highWaterMark: BUFFER_BYTES });
    this.#onDrain = onDrain;
    // undici destroys the body with the error that it tells the attempt anyway.
    this.on('error', ignore);
    this.on('close', () => {
      this.#isClosed = true;
    });
  }

  /** @returns whether more may come now; where the body was given up, bytes go nowhere */
  send(chunk: Uint8Array): boolean {
    if (this.#isClosed || this.destroyed || chunk.byteLength === 0) return true;
    this.#isFull = !this.push(chunk);
    return !this.#isFull;
  }

  end(): void {
    if (!this.#isClosed && !this.destroyed) this.push(null);
  }

  override _read(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#onDrain();
  }
}

function ignore(): void {}
