// Serves the connections of one listener with one set of its settings: TLS, then HTTP/1.1 or HTTP/2. Thread: worker.

import type { Socket } from 'node:net';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { ClientSocket } from './accept/client-socket.ts';
import type { ConnectionFacts } from './accept/connection-facts.ts';
import { FirstBytes, type FirstBytesReader } from './accept/first-bytes.ts';
import type { DownstreamContext, DrainableConnection } from './downstream-context.ts';
import { Http1Connection } from './http1/http1-connection.ts';
import { Http1Listener } from './http1/http1-listener.ts';
import { type Http2Context, Http2Listener } from './http2/http2-context.ts';
import { Http2Connection } from './http2/http2-connection.ts';
import { NodeHttp1Server } from './node/node-http1-server.ts';
import { NodeHttp2Server } from './node/node-http2-server.ts';
import { TlsAcceptor } from './accept/tls-acceptor.ts';
import { CONNECTION_PREFACE } from '../http2/frame-format.ts';
import type { HeldBytes } from '../wire/held-bytes.ts';

/** Receives each connection once its protocol is known, and again where it is handed off. */
export type ConnectionIdentified = (raw: Socket, connection: DrainableConnection) => void;

export class ConnectionServer {
  readonly #context: DownstreamContext;
  readonly #listener: ListenerSnapshot;
  readonly #engine: Http2Context | null;
  readonly #http1: Http1Listener;
  readonly #http2: Http2Listener;
  readonly #nodeHttp1: NodeHttp1Server;
  readonly #nodeHttp2: NodeHttp2Server;
  readonly #tls: TlsAcceptor | null;
  readonly #identified: ConnectionIdentified;

  /** @param engine dependencies of our engines; null where they are off */
  constructor(
    context: DownstreamContext,
    listener: ListenerSnapshot,
    identified: ConnectionIdentified,
    engine: Http2Context | null,
  ) {
    this.#context = context;
    this.#listener = listener;
    this.#engine = engine;
    this.#http1 = new Http1Listener(listener);
    this.#http2 = new Http2Listener(listener);
    const serveByEngine = engine === null ? null : (client: ClientSocket) => this.#serveByEngine(engine, client);
    this.#nodeHttp1 = new NodeHttp1Server(context, listener, serveByEngine);
    this.#nodeHttp2 = new NodeHttp2Server(context, listener);
    this.#identified = identified;
    const serve = (client: ClientSocket): void => this.serveConnection(client);
    this.#tls = listener.tls === null ? null : new TlsAcceptor(context, listener, serve);
  }

  /** Takes over an accepted socket. */
  accept(raw: Socket, facts: ConnectionFacts): void {
    if (this.#tls !== null) this.#tls.accept(raw, facts);
    else this.#servePlain(new ClientSocket(raw, raw, facts));
  }

  #servePlain(client: ClientSocket): void {
    const { http2, timeouts } = this.#listener;
    if (!http2) return this.#serve(client, false);
    const detector = new ProtocolDetector(client, timeouts.headMs, this.#serve);
    this.#identified(client.raw, new FirstBytes(this.#context, client.raw, detector));
  }

  /** Serves HTTP on a connection whose TLS handshake is complete. */
  serveConnection(client: ClientSocket): void {
    this.#serve(client, 'alpnProtocol' in client.stream && client.stream.alpnProtocol === 'h2');
  }

  readonly #serve = (client: ClientSocket, isHttp2: boolean): void => {
    const engine = this.#engine?.isOn() === true ? this.#engine : null;
    if (isHttp2) this.#identified(client.raw, this.#serveHttp2(engine, client));
    else if (engine === null) this.#serveByNode(client);
    else this.#serveByEngine(engine, client);
  };

  #serveByEngine(engine: Http2Context, client: ClientSocket): void {
    this.#identified(client.raw, new Http1Connection(engine, this.#http1, client, this.#serveByNode));
  }

  #serveHttp2(engine: Http2Context | null, client: ClientSocket): DrainableConnection {
    return engine === null ? this.#nodeHttp2.serve(client) : new Http2Connection(engine, this.#http2, client);
  }

  /**
   * Serves an HTTP/1.1 connection by node:http. The engine hands connections off here: it has put the received bytes back
   * (socket.unshift) and removed its listeners.
   */
  readonly #serveByNode = (client: ClientSocket): void => {
    this.#identified(client.raw, this.#nodeHttp1.serve(client));
  };
}

/**
 * Distinguishes HTTP/2 with prior knowledge from HTTP/1.1 without TLS: waits until the bytes differ from the connection
 * preface (RFC 9113 section 3.4), or are the preface. All of them stay, for the server of the protocol.
 */
class ProtocolDetector implements FirstBytesReader {
  readonly limitMs: number;
  readonly #client: ClientSocket;
  readonly #serve: (client: ClientSocket, isHttp2: boolean) => void;

  /** @param limitMs how long the client may take for its first bytes */
  constructor(client: ClientSocket, limitMs: number, serve: (client: ClientSocket, isHttp2: boolean) => void) {
    this.#client = client;
    this.limitMs = limitMs;
    this.#serve = serve;
  }

  examine(held: HeldBytes): (() => void) | null {
    const size = Math.min(held.length, CONNECTION_PREFACE.length);
    const isSame = held.bytes.compare(CONNECTION_PREFACE, 0, size, held.start, held.start + size) === 0;
    return isSame && size < CONNECTION_PREFACE.length ? null : () => this.#serve(this.#client, isSame);
  }
}
