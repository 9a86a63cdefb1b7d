// What http-proxy-3 gets in place of a client's socket: nothing of it reaches the client, and nothing is read from the
// client, until the tunnel is opened; from then on bytes flow both ways with back-pressure. Thread: worker.

import { Duplex } from 'node:stream';
import type { WebSocketFrames } from './websocket-frames.ts';

/** What waits in one direction before the other side is told to wait. */
const BUFFER_BYTES = 65_536;
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1');

type Done = (error?: Error | null) => void;

/** Told of every byte that passes. */
export interface TunnelMeter {
  countFromClient(sizeBytes: number): void;
  countFromEndpoint(sizeBytes: number): void;
}

export class TunnelSocket extends Duplex {
  readonly #client: Duplex;
  readonly #meter: TunnelMeter;
  /** Follows what goes to the client, where that is a WebSocket. */
  #frames: WebSocketFrames | null = null;
  #isOpen = false;
  #hasEnded = false;
  /** How much of the end of the head that http-proxy-3 writes was seen: it is dropped, ours was sent. */
  #seenOfEnd = 0;

  constructor(client: Duplex, meter: TunnelMeter) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER_BYTES });
    this.#client = client;
    this.#meter = meter;
    this.on('error', ignore);
  }

  /**
   * Sends our head and lets bytes flow.
   * @param firstBytes what the client had sent behind its request
   * @param frames is shown what goes to the client
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

  /** As sockets have it, for http-proxy-3: write what is left, then end. */
  destroySoon(): void {
    if (this.#isOpen) this.end();
  }

  // http-proxy-3 sets these on what it takes for a socket. The client's side has set its own.

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
    const payload = this.#isOpen ? this.#behindHead(chunk) : null;
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

  /** The bytes of `chunk` that don't belong to http-proxy-3's own head. */
  #behindHead(chunk: Buffer): Buffer {
    let at = 0;
    for (; at < chunk.length && this.#seenOfEnd < END_OF_HEAD.length; at += 1) {
      if (chunk[at] === END_OF_HEAD[this.#seenOfEnd]) this.#seenOfEnd += 1;
      else this.#seenOfEnd = chunk[at] === END_OF_HEAD[0] ? 1 : 0;
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

  /** A client that closed behind its own end leaves bytes that the endpoint may still take. */
  readonly #onClosed = (): void => {
    if (!this.#hasEnded) this.destroy();
  };

  readonly #onLost = (): void => {
    this.destroy();
  };
}

function ignore(): void {}
