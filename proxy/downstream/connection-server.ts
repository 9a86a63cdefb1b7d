// Serves the connections of one listener with one set of its settings: TLS, then HTTP/1.1 or HTTP/2. Thread: worker.

import type { Socket } from 'node:net';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { ClientSocket } from './accept/client-socket.ts';
import type { ConnectionFacts } from './accept/connection-facts.ts';
import type { DownstreamContext, DrainableConnection } from './downstream-context.ts';
import type { Http1Context } from './http1/http1-context.ts';
import { Http1Connection } from './http1/http1-connection.ts';
import { Http1Listener } from './http1/http1-listener.ts';
import { NodeHttp1Server } from './node/node-http1-server.ts';
import { NodeHttp2Server } from './node/node-http2-server.ts';
import { TlsAcceptor } from './accept/tls-acceptor.ts';

/** Receives each connection once its protocol is known, and again where it is handed off. */
export type ConnectionIdentified = (raw: Socket, connection: DrainableConnection) => void;

export class ConnectionServer {
  readonly #engine: Http1Context | null;
  readonly #engineListener: Http1Listener;
  readonly #http1: NodeHttp1Server;
  readonly #http2: NodeHttp2Server;
  readonly #tls: TlsAcceptor | null;
  readonly #identified: ConnectionIdentified;

  /** @param engine dependencies of the HTTP/1.1 engine; null where it is off */
  constructor(
    context: DownstreamContext,
    listener: ListenerSnapshot,
    identified: ConnectionIdentified,
    engine: Http1Context | null,
  ) {
    this.#engine = engine;
    this.#engineListener = new Http1Listener(listener);
    this.#http1 = new NodeHttp1Server(context, listener);
    this.#http2 = new NodeHttp2Server(context, listener);
    this.#identified = identified;
    const serve = (client: ClientSocket): void => this.serveConnection(client);
    this.#tls = listener.tls === null ? null : new TlsAcceptor(context, listener, serve);
  }

  /** Takes over an accepted socket. */
  accept(raw: Socket, facts: ConnectionFacts): void {
    if (this.#tls === null) this.serveConnection(new ClientSocket(raw, raw, facts));
    else this.#tls.accept(raw, facts);
  }

  /** Serves HTTP on a connection whose TLS handshake, if any, is complete. */
  serveConnection(client: ClientSocket): void {
    const isHttp2 = 'alpnProtocol' in client.stream && client.stream.alpnProtocol === 'h2';
    if (isHttp2) this.#identified(client.raw, this.#http2.serve(client));
    else if (this.#engine?.isOn() === true) {
      const connection = new Http1Connection(this.#engine, this.#engineListener, client, this.#serveByNode);
      this.#identified(client.raw, connection);
    } else this.#serveByNode(client);
  }

  /**
   * Serves an HTTP/1.1 connection by node:http. The engine hands connections off here: it has put the received bytes back
   * (socket.unshift) and removed its listeners.
   */
  readonly #serveByNode = (client: ClientSocket): void => {
    this.#identified(client.raw, this.#http1.serve(client));
  };
}
