// TLS over accepted connections: handshakes, SNI, ALPN. Failures are counted, and never thrown. Thread: worker.

import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import type { ClientAuthSnapshot, ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { TlsFailure } from '../../../core/tls-failure.ts';
import type { DownstreamContext } from '../downstream-context.ts';
import { isChallenge } from './alpn-challenge.ts';
import type { ClientHello } from './client-hello.ts';
import { judgeClient } from './client-certificate.ts';
import { ClientSocket } from './client-socket.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import { refuseHandshake } from './handshake-refusal.ts';
import { HelloReader, type HelloReaderParts } from './hello-reader.ts';
import { TlsServers } from './tls-servers.ts';

/** A connection whose handshake is in progress. */
interface Handshake {
  readonly raw: Socket;
  readonly facts: ConnectionFacts;
  /** Code or message of its error; '' while there is none. */
  error: string;
}

/** Reason of a refusal for the log, which may go on with details; the cause has the same name. */
const UNKNOWN_NAME = 'unknown-name';

export class TlsAcceptor {
  readonly #context: DownstreamContext;
  readonly #servers: TlsServers;
  readonly #serve: (client: ClientSocket) => void;
  /** Null where clients are not requested to send a certificate. */
  readonly #clientAuth: ClientAuthSnapshot | null;
  readonly #reading: Omit<HelloReaderParts, 'onTimeout'>;
  /** By keyOf. */
  readonly #handshakes = new Map<string | Socket, Handshake>();

  /** @param serve takes over each connection whose handshake succeeded; `stream.alpnProtocol` names its protocol */
  constructor(context: DownstreamContext, listener: ListenerSnapshot, serve: (client: ClientSocket) => void) {
    this.#context = context;
    this.#serve = serve;
    this.#clientAuth = listener.tls!.clientAuth ?? null;
    this.#reading = { clock: context.clock, sweeper: context.sweeper, timeoutMs: listener.timeouts.handshakeMs };
    this.#servers = new TlsServers(listener, context.tickets, (server) => this.#setUp(server));
  }

  /** Begins a handshake. */
  accept(raw: Socket, facts: ConnectionFacts): void {
    // A half-close during the handshake closes: a health check that only connects must not hold a descriptor.
    raw.allowHalfOpen = false;
    // Bytes behind a PROXY protocol header are put back: while the socket flows, it would emit them before the TLS socket
    // takes them over.
    if (raw.readableFlowing === true) raw.pause();
    const key = keyOf(raw, raw);
    this.#handshakes.set(key, { raw, facts, error: '' });
    raw.once('close', () => this.#closed(key));
    if (!this.#servers.needsHello) this.#servers.accept(raw, null);
    else this.#readHello(raw, key);
  }

  #readHello(raw: Socket, key: string | Socket): void {
    const onTimeout = (): void => this.#note(key, 'ERR_TLS_HANDSHAKE_TIMEOUT');
    const begin = (hello: ClientHello | null): void => {
      const waitMs = hello === null ? 0 : this.#servers.waitMsFor(hello);
      if (waitMs > 0) this.#obtainCertificate(raw, key, hello!, waitMs);
      else if (!this.#servers.accept(raw, hello)) this.#refuseName(raw, key, UNKNOWN_NAME);
    };
    void new HelloReader(raw, { ...this.#reading, onTimeout }, begin);
  }

  /** The name has no certificate yet: the handshake waits for one, or fails. */
  #obtainCertificate(raw: Socket, key: string | Socket, hello: ClientHello, waitMs: number): void {
    const { facts } = this.#handshakes.get(key)!;
    const request = { listener: facts.listenerName, name: hello.serverName };
    const cancel = this.#context.onDemand.obtain(request, waitMs, (certificate, reason) => {
      if (raw.destroyed) return;
      if (certificate === null) this.#refuseName(raw, key, `${UNKNOWN_NAME}: ${reason}`);
      else this.#servers.acceptWith(certificate, raw, hello);
    });
    raw.once('close', cancel);
  }

  #refuseName(raw: Socket, key: string | Socket, error: string): void {
    this.#note(key, error);
    refuseHandshake(raw, 'unrecognized_name');
  }

  #setUp(server: Server): void {
    server.on('secureConnection', (stream) => this.#secured(stream));
    server.on('tlsClientError', (error, stream) => this.#failed(error, stream));
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
    if (isChallenge(stream.alpnProtocol)) stream.end();
    else this.#complete(handshake, stream);
  }

  #complete({ raw, facts }: Handshake, stream: TLSSocket): void {
    if (this.#clientAuth !== null && !this.#isClientServed(stream, facts, this.#clientAuth)) {
      stream.destroy();
      return;
    }
    facts.secured(stream);
    this.#context.ledger.tlsCompleted(facts.listenerIndex, stream.isSessionReused());
    this.#serveLater(new ClientSocket(raw, stream, facts));
  }

  /** Whether the client's certificate is accepted; then the facts of the connection have it. */
  #isClientServed(stream: TLSSocket, facts: ConnectionFacts, { isRequired }: ClientAuthSnapshot): boolean {
    const verdict = judgeClient(stream, isRequired, this.#context.clock.wallMs());
    if (!verdict.isServed) this.#count(facts, 'client-certificate', verdict.reason);
    else facts.certificate = verdict.certificate;
    return verdict.isServed;
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
    this.#note(keyOf(stream, underlying(stream)), error.code ?? error.message);
    stream.on('error', () => undefined);
    stream.destroy();
  }

  #note(key: string | Socket, error: string): void {
    const handshake = this.#handshakes.get(key);
    if (handshake !== undefined) handshake.error = error;
  }

  /** A connection has closed: where its handshake was in progress, it has failed. */
  #closed(key: string | Socket): void {
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) return;
    this.#handshakes.delete(key);
    const { facts, error } = handshake;
    this.#count(facts, error.startsWith(UNKNOWN_NAME) ? UNKNOWN_NAME : failureOfCode(error), error);
  }

  #count(facts: ConnectionFacts, cause: TlsFailure, error: string): void {
    this.#context.ledger.tlsFailed(facts.listenerIndex, cause);
    const fields = { listener: facts.listenerName, peer: facts.peerAddress, cause, error };
    this.#context.log.debug(fields, `TLS handshake failed: ${cause}`);
  }
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

const CAUSE_OF_CODE: Readonly<Record<string, TlsFailure>> = {
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'closed',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ERR_SSL_HTTP_REQUEST: 'not-tls',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'not-tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
  ERR_SSL_BAD_RECORD_TYPE: 'not-tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_INAPPROPRIATE_FALLBACK: 'version',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'cipher',
  ERR_SSL_NO_SUITABLE_GROUPS: 'cipher',
  ERR_SSL_NO_SHARED_GROUP: 'cipher',
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_WRONG_SIGNATURE_TYPE: 'cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'protocol',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client-certificate',
};

/** Alerts by which a client refuses a certificate (RFC 8446 section 6.2), as OpenSSL names them. */
const REFUSAL = /_ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|UNKNOWN_PSK_IDENTITY)$/;

/** @param code '' where the connection closed without an error */
function failureOfCode(code: string): TlsFailure {
  if (code === '') return 'closed';
  return CAUSE_OF_CODE[code] ?? (REFUSAL.test(code) ? 'certificate-refused' : 'other');
}
