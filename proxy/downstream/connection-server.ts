// Serves the connections of one listener with one set of its settings: TLS or not, HTTP/1.1 or HTTP/2. Thread: worker.

import type { Socket } from 'node:net';
import type { ClientConnection } from '../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { ClientSocket } from './accept/client-socket.ts';
import type { DownstreamContext, DrainableConnection } from './downstream-context.ts';
import type { Http1Context } from './http1/http1-context.ts';
import { Http1Server } from './http1/http1-server.ts';
import { NodeHttp1Server } from './node/node-http1-server.ts';
import { NodeHttp2Server } from './node/node-http2-server.ts';
import { TlsAcceptor } from './accept/tls-acceptor.ts';

export class ConnectionServer {
  /** Null where the fast path is off. */
  readonly #fast: Http1Server | null;
  readonly #http1: NodeHttp1Server;
  readonly #http2: NodeHttp2Server;
  readonly #tls: TlsAcceptor | null;
  /** What each accepted socket speaks, once that is known. */
  readonly #spoken: (raw: Socket, connection: DrainableConnection) => void;

  /**
   * @param spoken is told of each connection once its protocol is known, and again where it is handed over
   * @param fast what the fast path works with; null where it is off
   */
  constructor(
    context: DownstreamContext,
    listener: ListenerSnapshot,
    spoken: (raw: Socket, connection: DrainableConnection) => void,
    fast: Http1Context | null,
  ) {
    this.#fast = fast === null ? null : new Http1Server(fast, listener);
    this.#http1 = new NodeHttp1Server(context, listener);
    this.#http2 = new NodeHttp2Server(context, listener);
    this.#spoken = spoken;
    const serve = (client: ClientSocket): void => this.serveConnection(client);
    this.#tls = listener.tls === null ? null : new TlsAcceptor(context, listener, serve);
  }

  /** Takes over what a listener has accepted. */
  accept(raw: Socket, facts: ClientConnection): void {
    if (this.#tls === null) this.serveConnection(new ClientSocket(raw, raw, facts));
    else this.#tls.accept(raw, facts);
  }

  /** Serves a connection on which plain HTTP is spoken: TLS, if any, is done. */
  serveConnection(client: ClientSocket): void {
    const isHttp2 = 'alpnProtocol' in client.stream && client.stream.alpnProtocol === 'h2';
    if (isHttp2) this.#spoken(client.raw, this.#http2.serve(client));
    else if (this.#fast?.isOn === true) this.#spoken(client.raw, this.#fast.serve(client, this.#serveGenerally));
    else this.#serveGenerally(client);
  }

  /**
   * Serves an HTTP/1.1 connection by node:http. This is where the fast path hands a connection over: bytes that it has
   * read are put back (socket.unshift), its listeners taken off.
   */
  readonly #serveGenerally = (client: ClientSocket): void => {
    this.#spoken(client.raw, this.#http1.serve(client));
  };
}
