// TLS over accepted connections: handshakes, SNI, ALPN. What fails is counted, and never thrown. Thread: worker.

import type { Socket } from 'node:net';
import { Server, type TlsOptions } from 'node:tls';
import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { ClientSocket } from './client-socket.ts';
import type { DownstreamContext } from '../downstream-context.ts';
import { TlsContexts } from './tls-contexts.ts';

/** A connection whose handshake is not over. */
interface Handshake {
  readonly raw: Socket;
  readonly facts: ClientConnection;
  error: string;
}

export class TlsAcceptor {
  readonly #context: DownstreamContext;
  readonly #server: Server;
  readonly #serve: (client: ClientSocket) => void;
  /** By their addresses, which no two open connections share: node:tls doesn't say over which socket it speaks. */
  readonly #handshakes = new Map<string, Handshake>();
  /** The same for all that come over a Unix socket. */
  #unixFacts: ClientConnection | null = null;

  /** @param serve takes over each connection whose handshake went well; `stream.alpnProtocol` says what it speaks */
  constructor(context: DownstreamContext, listener: ListenerSnapshot, serve: (client: ClientSocket) => void) {
    this.#context = context;
    this.#serve = serve;
    this.#server = new Server(settingsOf(listener));
    this.#server.on('secureConnection', (stream) => this.#secured(stream));
    this.#server.on('tlsClientError', (error, stream) => this.#failed(error, stream));
  }

  /** Begins a handshake. */
  accept(raw: Socket, facts: ClientConnection): void {
    // Half-closed before it is over is closed: a health check that only connects must not hold a descriptor.
    raw.allowHalfOpen = false;
    const key = addressesOf(raw);
    if (key !== null) {
      this.#handshakes.set(key, { raw, facts, error: 'closed by the client' });
      raw.once('close', () => this.#closed(key));
      this.#server.emit('connection', raw);
    } else this.#acceptUnix(raw, facts);
  }

  /** Unix sockets have no addresses to tell them by, and no reset for which the socket underneath would be needed. */
  #acceptUnix(raw: Socket, facts: ClientConnection): void {
    this.#unixFacts = facts;
    this.#server.emit('connection', raw);
  }

  #secured(stream: Socket): void {
    stream.allowHalfOpen = true;
    const key = addressesOf(stream);
    stream.on('error', () => undefined);
    if (key === null && this.#unixFacts !== null) {
      this.#serveLater(new ClientSocket(stream, stream, this.#unixFacts));
      return;
    }
    const handshake = this.#handshakes.get(key ?? '');
    if (handshake === undefined) {
      stream.destroy();
      return;
    }
    this.#handshakes.delete(key!);
    this.#serveLater(new ClientSocket(handshake.raw, stream, handshake.facts));
  }

  /** In a turn of its own: a TCP socket that is closed before its TLS socket in that of the handshake ends Node 26 (SIGSEGV). */
  #serveLater(client: ClientSocket): void {
    setImmediate(() => {
      if (!client.stream.destroyed) this.#serve(client);
    });
  }

  /** node:tls leaves a connection open whose handshake took too long. */
  #failed(error: Error & { code?: string }, stream: Socket): void {
    const handshake = this.#handshakes.get(addressesOf(stream) ?? '');
    if (handshake !== undefined) handshake.error = error.code ?? error.message;
    stream.on('error', () => undefined);
    stream.destroy();
  }

  /** A connection has closed: where its handshake was not over, it has failed. */
  #closed(key: string): void {
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) return;
    this.#handshakes.delete(key);
    const { facts, error } = handshake;
    this.#context.ledger.tlsFailed(facts.listenerIndex);
    this.#context.log.debug(
      { listener: facts.listenerName, peer: facts.peerAddress, error },
      'a TLS handshake has failed',
    );
  }
}

function settingsOf(listener: ListenerSnapshot): TlsOptions {
  const tls = listener.tls!;
  const contexts = new TlsContexts(tls);
  const { cert, key } = tls.certificates[0]!;
  return {
    cert,
    key,
    minVersion: tls.minVersion,
    SNICallback: (name, done) => done(null, contexts.find(name)),
    ALPNProtocols: tls.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    handshakeTimeout: listener.timeouts.handshakeMs,
    requestCert: false,
    honorCipherOrder: true,
  };
}

/** Both ends of a connection; null where they aren't known (a Unix socket, or closed already). */
function addressesOf(socket: Socket): string | null {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return remotePort === undefined ? null : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
