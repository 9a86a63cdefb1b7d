// Stands in for the client's socket towards http-proxy-3: until the tunnel is open nothing is written to the client and
// nothing read from it; from then on bytes flow both ways with back-pressure. Thread: worker.

import { Duplex } from 'node:stream';
import type { WebSocketFrames } from './websocket-frames.ts';

/** Bytes buffered in one direction before the sender is paused. */
const BUFFER_BYTES = 65_536;
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1');

type Done = (error?: Error | null) => void;

/** Counts relayed bytes. */
export interface TunnelMeter {
  countFromClient(sizeBytes: number): void;
  countFromEndpoint(sizeBytes: number): void;
}

export class TunnelSocket extends Duplex {
  readonly #client: Duplex;
  readonly #meter: TunnelMeter;
  /** Tracks frames sent to a WebSocket client. */
  #frames: WebSocketFrames | null = null;
  #isOpen = false;
  #hasEnded = false;
  /** Matched bytes of the empty line that ends http-proxy-3's head, which is dropped: our head was sent. */
  #matchedEndBytes = 0;

  constructor(client: Duplex, meter: TunnelMeter) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER_BYTES });
    this.#client = client;
    this.#meter = meter;
    this.on('error', ignore);
  }

  /**
   * Sends our head and starts relaying.
   * @param firstBytes bytes that the client sent after its request
   * @param frames tracks the frames sent to the client
   */
  open(head: string, firstBytes: Buffer, frames: WebSocketFrames | null = null): void {
    this.#isOpen = true;
    this.#frames = frames;
    this.#client.write(head, 'latin1');
    if (firstBytes.length > 0) this.#take(firstBytes);
    this.#client.on('data', this.#take);
    this.#client.on('end', this.#onEnd);
    this.#client.on('error', this.#onLost);
    this.#client.on('close', this.#onClosed);
  }

  /** Part of net.Socket that http-proxy-3 calls: write what is buffered, then end. */
  destroySoon(): void {
    if (this.#isOpen) this.end();
  }

  // http-proxy-3 sets these on its client socket; ours is configured by the client side.

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  override _read(): void {
    if (this.#isOpen) this.#client.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    const payload = this.#isOpen ? this.#afterHead(chunk) : null;
    if (payload === null || payload.length === 0) {
      done();
      return;
    }
    this.#meter.countFromEndpoint(payload.length);
    this.#frames?.take(payload);
    this.#client.write(payload, (error) => done(error));
  }

  override _final(done: Done): void {
    if (this.#isOpen) this.#client.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#client.off('data', this.#take);
    this.#client.off('end', this.#onEnd);
    this.#client.off('error', this.#onLost);
    this.#client.off('close', this.#onClosed);
    done(error);
  }

  /** The bytes of `chunk` after http-proxy-3's own head. */
  #afterHead(chunk: Buffer): Buffer {
    let at = 0;
    for (; at < chunk.length && this.#matchedEndBytes < END_OF_HEAD.length; at += 1) {
      if (chunk[at] === END_OF_HEAD[this.#matchedEndBytes]) this.#matchedEndBytes += 1;
      else this.#matchedEndBytes = chunk[at] === END_OF_HEAD[0] ? 1 : 0;
    }
    return at === 0 ? chunk : chunk.subarray(at);
  }

  readonly #take = (bytes: Buffer): void => {
    this.#meter.countFromClient(bytes.length);
    if (!this.push(bytes)) this.#client.pause();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.push(null);
  };

  /** After an orderly end the endpoint may still receive the client's buffered bytes. */
  readonly #onClosed = (): void => {
    if (!this.#hasEnded) this.destroy();
  };

  readonly #onLost = (): void => {
    this.destroy();
  };
}

function ignore(): void {}
