// Lingering phase of a connection of the HTTP/1.1 engine: drops received bytes until the client closes. Thread: worker.

import type { Socket } from 'node:net';
import type { HeldBytes } from '../../wire/held-bytes.ts';
import { LingeringClose } from '../accept/lingering-close.ts';
import type { ConnectionPhase } from './connection-phase.ts';

export class Http1Closing {
  readonly #socket: Socket;
  readonly #phase: ConnectionPhase;
  readonly #sendIdleMs: number;
  readonly #limits: LingeringClose;

  /** The caller has just entered the phase. @param isBodyDue whether the client has not sent the whole request yet */
  constructor(socket: Socket, phase: ConnectionPhase, sendIdleMs: number, isBodyDue: boolean) {
    this.#socket = socket;
    this.#phase = phase;
    this.#sendIdleMs = sendIdleMs;
    this.#limits = new LingeringClose(phase.sinceMs, isBodyDue, socket.bytesRead);
    this.check(phase.sinceMs);
  }

  /** Drops received bytes. */
  drop(held: HeldBytes): void {
    if (!this.#limits.readUpTo(this.#socket.bytesRead, this.#phase.nowMs)) this.#socket.destroy();
    held.clear();
  }

  /** Closes the connection where its time is over. */
  check(nowMs: number): void {
    const delayMs = this.#limits.delayMs(nowMs, this.#socket.writableFinished, this.#sendIdleMs);
    if (delayMs > 0) this.#phase.setDeadline(delayMs);
    else this.#socket.destroy();
  }
}
