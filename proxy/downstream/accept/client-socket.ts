// An accepted connection as the protocols receive it: the stream that carries HTTP, and the TCP socket underneath.
// Thread: worker.

import type { Socket } from 'node:net';
import type { ClientConnection } from '../../../core/exchange-contract.ts';
import { isSendingFin, resetSocket } from '../../../net/reset-socket.ts';

/** First TCP keep-alive probe to a half-closed client. */
const KEEP_ALIVE_MS = 10_000;

/** How often a half-closed client is probed while its exchange is in progress. */
export const PRESENCE_PROBE_MS = 1000;

export class ClientSocket {
  /** The accepted socket. */
  readonly raw: Socket;
  /** `raw` itself, or the TLS socket over it. */
  readonly stream: Socket;
  readonly facts: ClientConnection;
  #probedMs = 0;

  constructor(raw: Socket, stream: Socket, facts: ClientConnection) {
    this.raw = raw;
    this.stream = stream;
    this.facts = facts;
    // No socket without an error handler: a reset by the client would end the worker. Errors are handled by 'close',
    // which always follows.
    if (raw.listenerCount('error') === 0) raw.on('error', ignoreError);
    if (stream !== raw) stream.on('error', ignoreError);
  }

  /**
   * Ends the connection with a TCP reset, so that the client sees that the response is incomplete, also under TLS and for
   * close-delimited bodies. Where no reset can be sent (`resetSocket`) the connection is closed.
   */
  reset(): void {
    const { raw, stream } = this;
    if (stream.destroyed || isSendingFin(stream)) raw.destroy();
    else resetSocket(raw);
    stream.destroy();
  }

  /**
   * Has the kernel probe a half-closed client. A closed socket looks the same until something is sent to it: it answers a
   * probe with a reset, at the latest once its FIN-WAIT-2 state has timed out (60 s on Linux).
   */
  startKeepAlive(): void {
    this.raw.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  /** Destroys the connection where the kernel has received a reset: after FIN nothing is read that would report it. */
  probe(nowMs: number): void {
    if (nowMs - this.#probedMs < PRESENCE_PROBE_MS || this.stream.writableLength > 0) return;
    this.#probedMs = nowMs;
    // An empty write sends nothing, and fails on a socket that was reset.
    this.stream.write('');
  }
}

function ignoreError(): void {
  // 'close' follows.
}
