// An accepted connection as the protocols get it: the stream to speak on, and the TCP socket underneath to reset.
// Thread: worker.

import type { Socket } from 'node:net';
import type { ClientConnection } from '../../../core/exchange-contract.ts';

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
    if (raw.listenerCount('error') === 0) raw.on('error', ignoreError);
    if (stream !== raw) stream.on('error', ignoreError);
  }

  /**
   * Ends the connection with a TCP reset, so that the client sees that something is missing: under TLS, too, and for
   * bodies that end with the connection. Where none can be sent it is closed without what is still to be written: on a
   * Unix socket, and while FIN is on its way (libuv refuses a reset then, and Node would lose the socket over it).
   */
  reset(): void {
    const { raw, stream } = this;
    const isEnding = stream.writableEnded && !stream.writableFinished;
    if (!raw.destroyed && !stream.destroyed && !isEnding && raw.remoteAddress !== undefined) raw.resetAndDestroy();
    else raw.destroy();
    stream.destroy();
  }
}

function ignoreError(): void {
  // Nothing: see above.
}
