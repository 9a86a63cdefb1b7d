// Serves HTTP/1.1 connections of one listener on the fast path, with one set of its settings. Thread: worker.

import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { Http1Connection } from './http1-connection.ts';
import type { Http1Context } from './http1-context.ts';
import { Http1Listener } from './http1-listener.ts';

export class Http1Server {
  readonly #context: Http1Context;
  readonly #listener: Http1Listener;

  constructor(context: Http1Context, snapshot: ListenerSnapshot) {
    this.#context = context;
    this.#listener = new Http1Listener(snapshot);
  }

  /** Whether new connections are to be served here. */
  get isOn(): boolean {
    return this.#context.isOn();
  }

  /**
   * Takes over a connection.
   * @param handOver serves it where a request is the general path's: all bytes from that request on are unread then
   */
  serve(client: ClientSocket, handOver: (client: ClientSocket) => void): Http1Connection {
    return new Http1Connection(this.#context, this.#listener, client, handOver);
  }
}
