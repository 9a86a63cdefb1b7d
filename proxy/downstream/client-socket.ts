// An accepted connection as the protocols get it: the stream to speak on, and the TCP socket underneath to reset.
// Thread: worker.

import type { Socket } from 'node:net';
import type { ClientConnection } from '../../core/exchange-contract.ts';

export class ClientSocket {
  /** What was accepted. */
  readonly raw: Socket;
  /** What is spoken on: `raw` itself, or the TLS socket over it. */
  readonly stream: Socket;
  readonly facts: ClientConnection;

  constructor(raw: Socket, stream: Socket, facts: ClientConnection) {
    this.raw = raw;
    this.stream = stream;
    this.facts = facts;
    // No socket without an error handler: a reset by the client would end the worker. What follows from an error
    // follows from 'close', which always comes after it.
    raw.on('error', ignoreError);
    if (stream !== raw) stream.on('error', ignoreError);
  }

  /**
   * Ends the connection with a TCP reset, so that the client sees that something is missing: under TLS, too, and for
   * bodies that end with the connection. A Unix socket has no reset; there a declared or chunked length must tell.
   */
  reset(): void {
    if (!this.raw.destroyed) {
      if (this.raw.remoteAddress === undefined) this.raw.destroy();
      else this.raw.resetAndDestroy();
    }
    this.stream.destroy();
  }
}

function ignoreError(): void {
  // Nothing: see above.
}
