// TLS over accepted connections: handshakes, SNI, ALPN. Failures are counted, and never thrown. Thread: worker.

import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { Server, type TlsOptions, type TLSSocket } from 'node:tls';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { AlpnChallenge, isChallenge } from './alpn-challenge.ts';
import { ClientSocket } from './client-socket.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import type { DownstreamContext } from '../downstream-context.ts';
import { pairsWithoutName, TlsContexts } from './tls-contexts.ts';

/** A connection whose handshake is in progress. */
interface Handshake {
  readonly raw: Socket;
  readonly facts: ConnectionFacts;
  error: string;
}

export class TlsAcceptor {
  readonly #context: DownstreamContext;
  readonly #server: Server;
  readonly #serve: (client: ClientSocket) => void;
  /** By keyOf. */
  readonly #handshakes = new Map<string | Socket, Handshake>();

  /** @param serve takes over each connection whose handshake succeeded; `stream.alpnProtocol` names its protocol */
  constructor(context: DownstreamContext, listener: ListenerSnapshot, serve: (client: ClientSocket) => void) {
    this.#context = context;
    this.#serve = serve;
    this.#server = new Server(settingsOf(listener));
    this.#server.on('secureConnection', (stream) => this.#secured(stream));
    this.#server.on('tlsClientError', (error, stream) => this.#failed(error, stream));
  }

  /** Begins a handshake. */
  accept(raw: Socket, facts: ConnectionFacts): void {
    // A half-close during the handshake closes: a health check that only connects must not hold a descriptor.
    raw.allowHalfOpen = false;
    // Bytes behind a PROXY protocol header are put back: while the socket flows, it would emit them before the TLS socket
    // takes them over.
    if (raw.readableFlowing === true) raw.pause();
    const key = keyOf(raw, raw);
    this.#handshakes.set(key, { raw, facts, error: 'closed by the client' });
    raw.once('close', () => this.#closed(key));
    this.#server.emit('connection', raw);
  }

  #secured(stream: TLSSocket): void {
    stream.allowHalfOpen = true;
    const key = keyOf(stream, underlying(stream));
    stream.on('error', () => undefined);
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) {
      stream.destroy();
      return;
    }
    this.#handshakes.delete(key);
    if (isChallenge(stream.alpnProtocol)) {
      stream.end();
      return;
    }
    handshake.facts.secured(stream);
    this.#serveLater(new ClientSocket(handshake.raw, stream, handshake.facts));
  }

  /**
   * In a turn of its own: Node 26 crashes (SIGSEGV) where the TCP socket is closed before its TLS socket in the turn in
   * which the handshake ends.
   */
  #serveLater(client: ClientSocket): void {
    setImmediate(() => {
      // close_notify came with the end of the handshake, and 'end' was emitted before there was a listener.
      if (client.stream.readableEnded) client.stream.end();
      else if (!client.stream.destroyed) this.#serve(client);
    });
  }

  /** node:tls leaves a connection open whose handshake has timed out. */
  #failed(error: Error & { code?: string }, stream: Socket): void {
    const handshake = this.#handshakes.get(keyOf(stream, underlying(stream)));
    if (handshake !== undefined) handshake.error = error.code ?? error.message;
    stream.on('error', () => undefined);
    stream.destroy();
  }

  /** A connection has closed: where its handshake was in progress, it has failed. */
  #closed(key: string | Socket): void {
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) return;
    this.#handshakes.delete(key);
    const { facts, error } = handshake;
    this.#context.ledger.tlsFailed(facts.listenerIndex);
    this.#context.log.debug({ listener: facts.listenerName, peer: facts.peerAddress, error }, 'TLS handshake failed');
  }
}

function settingsOf(listener: ListenerSnapshot): TlsOptions {
  const tls = listener.tls!;
  const contexts = new TlsContexts(tls);
  const challenge = tls.acme?.challenge === 'tls-alpn-01' ? new AlpnChallenge(tls.acme.storage) : null;
  // http/1.0 for clients that offer nothing else (curl --http1.0): they would get a fatal alert.
  const served = tls.http2 ? ['h2', 'http/1.1', 'http/1.0'] : ['http/1.1', 'http/1.0'];
  return {
    // A client without SNI: no callback is called for it.
    ...pairsWithoutName(tls),
    minVersion: tls.minVersion,
    SNICallback(this: TLSSocket, name, done) {
      done(null, challenge?.contextOf(this) ?? contexts.find(name, this.getSharedSigalgs()));
    },
    ...(challenge === null
      ? { ALPNProtocols: served }
      : {
          ALPNCallback(this: TLSSocket, { servername, protocols }) {
            return challenge.choose(this, servername, protocols, served);
          },
        }),
    handshakeTimeout: listener.timeouts.handshakeMs,
    requestCert: false,
    // A client that renegotiates makes us pay for a handshake each time (TLS 1.2; CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    honorCipherOrder: true,
  };
}

/**
 * Both addresses of a connection, which no two open ones share; where they aren't known (a Unix socket, or closed already) the
 * accepted socket.
 * @param socket the accepted socket, or the TLS socket over it
 */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket, raw: Socket): string | Socket {
  return remotePort === undefined ? raw : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** The socket under a TLS socket. Not documented, and the only thing that identifies one over a Unix socket. */
function underlying(stream: Socket & { readonly _parent?: Socket }): Socket {
  return stream._parent ?? stream;
}
