// Serves HTTP/1.1 connections of one listener on the fast path, with one set of its settings. Thread: worker.

import type { ListenerSnapshot } from '../../../core/snapshot.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { FastConnection } from './http1-connection.ts';
import type { FastContext } from './http1-context.ts';
import { FastListener } from './http1-listener.ts';

export class FastServer {
  readonly #context: FastContext;
  readonly #listener: FastListener;

  constructor(context: FastContext, snapshot: ListenerSnapshot) {
    this.#context = context;
    this.#listener = new FastListener(snapshot);
  }

  /** Whether new connections are to be served here. */
  get isOn(): boolean {
    return this.#context.isOn();
  }

  /**
   * Takes over a connection.
   * @param handOver serves it where a request is the general path's: all bytes from that request on are unread then
   */
  serve(client: ClientSocket, handOver: (client: ClientSocket) => void): FastConnection {
    return new FastConnection(this.#context, this.#listener, client, handOver);
  }
}
