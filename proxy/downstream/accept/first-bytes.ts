// Reads the first bytes of a connection until they decide how it goes on, within a time limit, and puts the others back.
// Thread: worker.

import type { Socket } from 'node:net';
import { resetSocket } from '../../../net/reset-socket.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import type { Swept } from './sweeper.ts';

/** Decides by the first bytes. */
export interface FirstBytesReader {
  readonly limitMs: number;
  /**
   * Examines the bytes received so far, and consumes those that nobody needs any more.
   * @returns continues the connection; null waits for more bytes
   */
  examine(held: HeldBytes): (() => void) | null;
  /** The time is over, or the client has sent FIN: the connection is closed. */
  onExpired?(cause: 'timeout' | 'fin', held: HeldBytes): void;
}

export class FirstBytes implements DrainableConnection, Swept {
  readonly #context: DownstreamContext;
  readonly #socket: Socket;
  readonly #reader: FirstBytesReader;
  readonly #held = new HeldBytes();
  readonly #sinceMs: number;

  constructor(context: DownstreamContext, socket: Socket, reader: FirstBytesReader) {
    this.#context = context;
    this.#socket = socket;
    this.#reader = reader;
    this.#sinceMs = context.clock.nowMs();
    socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    context.sweeper.add(this);
  }

  /** The next bytes may be on their way, as on an idle connection. */
  startDrain(): void {
    if (this.#context.mayBeIdleUntilMs(this.#sinceMs) <= this.#context.clock.nowMs()) this.#socket.destroy();
  }

  destroy(): void {
    resetSocket(this.#socket);
  }

  evict(): boolean {
    this.#socket.destroy();
    return true;
  }

  sweep(nowMs: number): void {
    if (nowMs - this.#sinceMs > this.#reader.limitMs) this.#expire('timeout');
    else if (this.#context.isDraining()) this.startDrain();
  }

  readonly #onData = (bytes: Buffer): void => {
    const held = this.#held;
    held.add(bytes);
    const proceed = this.#reader.examine(held);
    if (proceed === null) return;
    this.#leave();
    if (held.length > 0) this.#socket.unshift(held.bytes.subarray(held.start, held.end));
    held.clear();
    proceed();
  };

  readonly #onEnd = (): void => this.#expire('fin');

  readonly #onClose = (): void => this.#leave();

  #expire(cause: 'timeout' | 'fin'): void {
    this.#leave();
    this.#reader.onExpired?.(cause, this.#held);
    this.#socket.destroy();
  }

  #leave(): void {
    this.#context.sweeper.delete(this);
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
  }
}
