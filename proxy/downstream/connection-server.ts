// Serves the connections of one listener with one set of its settings: TLS or not, HTTP/1.1 or HTTP/2. Thread: worker.

import type { Socket } from 'node:net';
import type { ClientConnection } from '../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../core/snapshot.ts';
import { ClientSocket } from './client-socket.ts';
import type { DownstreamContext, DrainableConnection } from './context.ts';
import { Http1Server } from './http1-server.ts';
import { Http2Server } from './http2-server.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

export class ConnectionServer {
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #tls: TlsAcceptor | null;
  /** What each accepted socket speaks, once that is known. */
  readonly #spoken: (raw: Socket, connection: DrainableConnection) => void;

  /** @param spoken is told of each connection once its protocol is known */
  constructor(
    context: DownstreamContext,
    listener: ListenerSnapshot,
    spoken: (raw: Socket, connection: DrainableConnection) => void,
  ) {
    this.#http1 = new Http1Server(context, listener);
    this.#http2 = new Http2Server(context, listener);
    this.#spoken = spoken;
    const serve = (client: ClientSocket): void => this.serveConnection(client);
    this.#tls = listener.tls === null ? null : new TlsAcceptor(context, listener, serve);
  }

  /** Takes over what a listener has accepted. */
  accept(raw: Socket, facts: ClientConnection): void {
    if (this.#tls === null) this.serveConnection(new ClientSocket(raw, raw, facts));
    else this.#tls.accept(raw, facts);
  }

  /**
   * Serves a connection on which plain HTTP is spoken: TLS, if any, is done. This is where another engine hands a
   * connection over: bytes that it has read must have been put back (socket.unshift), its listeners taken off.
   */
  serveConnection(client: ClientSocket): void {
    const isHttp2 = 'alpnProtocol' in client.stream && client.stream.alpnProtocol === 'h2';
    const connection = isHttp2 ? this.#http2.serve(client) : this.#http1.serve(client);
    this.#spoken(client.raw, connection);
  }
}
