// Reads the ClientHello of an accepted connection, and puts its bytes back for the TLS server that is chosen by it.
// Thread: worker.

import type { Socket } from 'node:net';
import type { Clock } from '../../../core/clock.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import { type ClientHello, ClientHelloParser } from './client-hello.ts';
import type { Swept, Sweeper } from './sweeper.ts';

/** Null for bytes that OpenSSL refuses, with its alert. */
type OnHello = (hello: ClientHello | null) => void;

export interface HelloReaderParts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly sweeper: Sweeper;
  /** From accept to the whole ClientHello. */
  readonly timeoutMs: number;
  /** The client took too long; the socket is destroyed after it. */
  readonly onTimeout: () => void;
}

export class HelloReader implements Swept {
  readonly #socket: Socket;
  readonly #parts: HelloReaderParts;
  readonly #onHello: OnHello;
  readonly #sinceMs: number;
  readonly #parser = new ClientHelloParser();
  readonly #held = new HeldBytes();

  /** @param onHello called once, unless the connection ends before; the socket is as if nothing had been read by then */
  constructor(socket: Socket, parts: HelloReaderParts, onHello: OnHello) {
    this.#socket = socket;
    this.#parts = parts;
    this.#onHello = onHello;
    this.#sinceMs = parts.clock.nowMs();
    socket.on('readable', this.#onReadable).on('end', this.#onEnd).on('close', this.#onClose);
    parts.sweeper.add(this);
  }

  sweep(nowMs: number): void {
    if (nowMs - this.#sinceMs <= this.#parts.timeoutMs) return;
    this.#leave();
    this.#parts.onTimeout();
    this.#socket.destroy();
  }

  readonly #onReadable = (): void => {
    const bytes = this.#socket.read() as Buffer | null;
    if (bytes === null) return;
    const held = this.#held;
    held.add(bytes);
    const outcome = this.#parser.push(bytes);
    if (outcome === 'incomplete') return;
    this.#leave();
    this.#socket.unshift(held.bytes.subarray(held.start, held.end));
    this.#onHello(typeof outcome === 'string' ? null : outcome);
  };

  readonly #onEnd = (): void => {
    this.#socket.destroy();
  };

  readonly #onClose = (): void => this.#leave();

  #leave(): void {
    this.#parts.sweeper.delete(this);
    this.#socket.off('readable', this.#onReadable).off('end', this.#onEnd).off('close', this.#onClose);
  }
}
