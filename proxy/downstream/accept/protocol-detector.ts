// Distinguishes HTTP/2 with prior knowledge from HTTP/1.1 on a connection without TLS, by the connection preface (RFC 9113
// section 3.4). Thread: worker.

import type { Socket } from 'node:net';
import { CONNECTION_PREFACE } from '../../http2/frame-format.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import type { ClientSocket } from './client-socket.ts';
import type { Swept } from './sweeper.ts';

/** Reads until the bytes differ from the preface, or are the preface; then puts them back for the server of the protocol. */
export class ProtocolDetector implements DrainableConnection, Swept {
  readonly #context: DownstreamContext;
  readonly #client: ClientSocket;
  readonly #socket: Socket;
  readonly #headMs: number;
  readonly #serve: (client: ClientSocket, isHttp2: boolean) => void;
  readonly #held = new HeldBytes();
  readonly #sinceMs: number;

  /** @param headMs how long the client may take for its first bytes */
  constructor(
    context: DownstreamContext,
    client: ClientSocket,
    headMs: number,
    serve: (client: ClientSocket, isHttp2: boolean) => void,
  ) {
    this.#context = context;
    this.#client = client;
    this.#socket = client.stream;
    this.#headMs = headMs;
    this.#serve = serve;
    this.#sinceMs = context.clock.nowMs();
    this.#socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    context.sweeper.add(this);
  }

  /** The next bytes may be on their way, as on an idle connection. */
  startDrain(): void {
    if (this.#context.mayBeIdleUntilMs(this.#sinceMs) <= this.#context.clock.nowMs()) this.#socket.destroy();
  }

  destroy(): void {
    this.#client.reset();
  }

  evict(): boolean {
    this.#socket.destroy();
    return true;
  }

  sweep(nowMs: number): void {
    if (nowMs - this.#sinceMs > this.#headMs) this.#socket.destroy();
    else if (this.#context.isDraining()) this.startDrain();
  }

  readonly #onData = (bytes: Buffer): void => {
    const held = this.#held;
    held.add(bytes);
    const size = Math.min(held.length, CONNECTION_PREFACE.length);
    const isSame = held.bytes.compare(CONNECTION_PREFACE, 0, size, held.start, held.start + size) === 0;
    if (isSame && size < CONNECTION_PREFACE.length) return;
    this.#leave();
    this.#socket.unshift(held.bytes.subarray(held.start, held.end));
    held.clear();
    this.#serve(this.#client, isSame);
  };

  /** FIN before a request. */
  readonly #onEnd = (): void => {
    this.#socket.destroy();
  };

  readonly #onClose = (): void => this.#leave();

  #leave(): void {
    this.#context.sweeper.delete(this);
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
  }
}
