// TLS servers of a listener, one for each set of certificates that a server name may choose: tickets of one are not valid at
// another, so that no session is resumed under a name of other certificates. Thread: worker.

import { constants, createHash, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { Server, type TlsOptions } from 'node:tls';
import type { CertificateSnapshot, ListenerSnapshot, TlsSnapshot } from '../../../core/snapshot/listener.ts';
import { SESSION_LIFETIME_S } from '../../../core/ticket-secrets.ts';
import { ALPN_CHALLENGE_PROTOCOL } from '../../../net/acme-challenges.ts';
import { challengeOptions } from './alpn-challenge.ts';
import type { ClientHello } from './client-hello.ts';
import { keyNameOf, type TicketKeyring, type TicketKeys } from './ticket-keyring.ts';

/** Installs the event listeners of a server. */
type SetUp = (server: Server) => void;

export class TlsServers {
  readonly #listener: ListenerSnapshot;
  readonly #tls: TlsSnapshot;
  readonly #keyring: TicketKeyring;
  readonly #setUp: SetUp;
  /** Indexes of certificates by name. */
  readonly #chosen = new Map<string, readonly number[]>();
  readonly #withoutName: readonly number[];
  /** By indexes of certificates. Created when first used: a listener may have thousands of certificates. */
  readonly #servers = new Map<string, TicketedServer>();
  readonly #isChoosing: boolean;
  /** Of answers to challenges of TLS-ALPN-01; null where the listener has none. */
  readonly #challengeStorage: string | null;
  /** Of certificates that were issued on demand; they are dropped with their certificates. */
  readonly #onDemand = new WeakMap<CertificateSnapshot, TicketedServer>();

  /** @throws Error if the first certificate and its key don't match, or aren't PEM: the configuration has checked that before */
  constructor(listener: ListenerSnapshot, keyring: TicketKeyring, setUp: SetUp) {
    this.#listener = listener;
    this.#tls = listener.tls!;
    this.#keyring = keyring;
    this.#setUp = setUp;
    const { certificates, acme } = this.#tls;
    this.#challengeStorage = acme?.challenge === 'tls-alpn-01' ? acme.storage : null;
    const types = certificates.map(({ cert }) => keyType(cert));
    this.#withoutName = chosenFor(null, certificates, types);
    for (const { names } of certificates) {
      for (const name of names) this.#chosen.set(name.toLowerCase(), chosenFor(name, certificates, types));
    }
    const own = this.#withoutName.join();
    this.#isChoosing = [...this.#chosen.values()].some((indexes) => indexes.join() !== own);
    this.#serverOf(this.#withoutName);
  }

  /** Whether the choice of a server needs the ClientHello: of certificates, of the keys of a ticket, or for a challenge. */
  get needsHello(): boolean {
    const { isStrict, acme } = this.#tls;
    const isNameDecisive = this.#isChoosing || isStrict === true || (acme?.onDemand ?? null) !== null;
    return isNameDecisive || this.#keyring.isOverlapping || this.#challengeStorage !== null;
  }

  /** Longest wait for a certificate that is issued on demand; 0 for a handshake that needs none. */
  waitMsFor({ serverName, protocols }: ClientHello): number {
    const onDemand = this.#tls.acme?.onDemand ?? null;
    if (onDemand === null || serverName === '' || protocols.includes(ALPN_CHALLENGE_PROTOCOL)) return 0;
    return this.#find(serverName) === null ? onDemand.waitMs : 0;
  }

  /** Begins the handshake of a connection with a certificate that was issued on demand. */
  acceptWith(certificate: CertificateSnapshot, raw: Socket, { ticketKeyName }: ClientHello): void {
    let server = this.#onDemand.get(certificate);
    if (server === undefined) this.#onDemand.set(certificate, (server = this.#newServer([certificate])));
    server.accept(raw, ticketKeyName);
  }

  /** Certificates for a server name, '' for none; those without a name where none covers it. */
  certificatesFor(serverName: string): readonly CertificateSnapshot[] {
    return (this.#find(serverName) ?? this.#withoutName).map((index) => this.#tls.certificates[index]!);
  }

  /**
   * Begins the handshake of a connection. @param hello null where it wasn't read, or can't be parsed
   * @returns false where the listener is strict and has no certificate for the server name
   */
  accept(raw: Socket, hello: ClientHello | null): boolean {
    if (hello !== null && this.#answerChallenge(raw, hello)) return true;
    const named = hello === null ? this.#withoutName : this.#find(hello.serverName);
    if (named === null && this.#tls.isStrict === true) return false;
    this.#serverOf(named ?? this.#withoutName).accept(raw, hello?.ticketKeyName ?? null);
    return true;
  }

  #answerChallenge(raw: Socket, hello: ClientHello): boolean {
    const options = this.#challengeStorage === null ? null : challengeOptions(this.#challengeStorage, hello);
    if (options === null) return false;
    try {
      const server = new Server({ ...options, handshakeTimeout: this.#listener.timeouts.handshakeMs });
      this.#setUp(server);
      server.emit('connection', raw);
      return true;
    } catch {
      // A damaged file in the storage: the handshake fails for lack of a common protocol.
      return false;
    }
  }

  /**
   * Certificates of the name, else those for '*.' in place of its first label (RFC 9525 section 6.3: a wildcard stands for
   * one label), else null. OpenSSL chooses among them by what the client can verify.
   */
  #find(name: string): readonly number[] | null {
    const dot = name.indexOf('.');
    const wildcard = dot > 0 ? this.#chosen.get(`*${name.slice(dot)}`) : undefined;
    return this.#chosen.get(name) ?? wildcard ?? null;
  }

  #serverOf(indexes: readonly number[]): TicketedServer {
    const key = indexes.join();
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const server = this.#newServer(indexes.map((index) => this.#tls.certificates[index]!));
    this.#servers.set(key, server);
    return server;
  }

  #newServer(certificates: readonly CertificateSnapshot[]): TicketedServer {
    return new TicketedServer(optionsFor(this.#listener, certificates), {
      identity: identityOf(this.#listener, certificates),
      keyring: this.#keyring,
      setUp: this.#setUp,
    });
  }
}

interface TicketedParts {
  readonly identity: string;
  readonly keyring: TicketKeyring;
  readonly setUp: SetUp;
}

/** A TLS server with its keys for tickets. */
class TicketedServer {
  readonly #server: Server;
  readonly #identity: string;
  readonly #keyring: TicketKeyring;
  #epoch = 0;
  #keys!: TicketKeys;

  constructor(options: TlsOptions, { identity, keyring, setUp }: TicketedParts) {
    this.#server = new Server(options);
    this.#identity = identity;
    this.#keyring = keyring;
    this.#refresh();
    setUp(this.#server);
  }

  accept(raw: Socket, ticketKeyName: Buffer | null): void {
    if (this.#epoch !== this.#keyring.epoch) this.#refresh();
    const { previous } = this.#keys;
    if (previous !== null && ticketKeyName?.equals(keyNameOf(previous)) === true) this.#acceptPrevious(raw, previous);
    else this.#server.emit('connection', raw);
  }

  /**
   * Node accepts tickets of one key only. It reads the ClientHello that `raw` holds in the next tick, synchronously: the
   * previous key is set for so long. Node issues no new ticket with a resumption, so that none under the previous key
   * outlives the overlap.
   */
  #acceptPrevious(raw: Socket, previous: Buffer): void {
    this.#server.setTicketKeys(previous);
    this.#server.emit('connection', raw);
    process.nextTick(() => this.#server.setTicketKeys(this.#keys.current));
  }

  #refresh(): void {
    this.#epoch = this.#keyring.epoch;
    this.#keys = this.#keyring.keysFor(this.#identity);
    this.#server.setTicketKeys(this.#keys.current);
  }
}

/** Node must not destroy clients whose certificate is refused: the acceptor does, and has the reason. */
function clientAuthOptions({ clientAuth }: TlsSnapshot): TlsOptions {
  if (clientAuth === undefined) return { requestCert: false };
  const { ca, crl } = clientAuth;
  return { requestCert: true, rejectUnauthorized: false, ca: [...ca], ...(crl.length === 0 ? {} : { crl: [...crl] }) };
}

/**
 * Binding of tickets: to the listener, the names of the certificates, and the verification of clients, so that a session is
 * not resumed with a client certificate that would be refused now. A renewed certificate keeps its sessions.
 */
function identityOf({ name, tls }: ListenerSnapshot, certificates: readonly CertificateSnapshot[]): string {
  return JSON.stringify([name, certificates.map(({ names }) => names), tls!.clientAuth ?? null]);
}

function optionsFor(listener: ListenerSnapshot, certificates: readonly CertificateSnapshot[]): TlsOptions {
  const tls = listener.tls!;
  return {
    cert: certificates.map(({ cert }) => cert),
    key: certificates.map(({ key }) => key),
    minVersion: tls.minVersion,
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
    ...(tls.curves === undefined ? {} : { ecdhCurve: tls.curves }),
    ...clientAuthOptions(tls),
    ...alpnOptions(tls),
    handshakeTimeout: listener.timeouts.handshakeMs,
    sessionTimeout: SESSION_LIFETIME_S,
    sessionIdContext: createHash('sha256').update(listener.name).digest('hex').slice(0, 32),
    // A client that renegotiates makes us pay for a handshake each time (TLS 1.2; CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    honorCipherOrder: tls.hasOwnCiphers !== false,
  };
}

/** A list without entries would refuse every client that offers a protocol. */
function alpnOptions({ alpn, http2 }: TlsSnapshot): TlsOptions {
  if (alpn !== undefined) return alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] };
  // http/1.0 for clients that offer nothing else (curl --http1.0): they would get a fatal alert.
  return { ALPNProtocols: http2 ? ['h2', 'http/1.1', 'http/1.0'] : ['http/1.1', 'http/1.0'] };
}

/**
 * Indexes of the certificates for a name: the first one of each type of key. Without a name: the first certificate, and
 * those of other types that share a name with it.
 */
function chosenFor(
  name: string | null,
  certificates: readonly CertificateSnapshot[],
  types: readonly string[],
): number[] {
  const wanted = new Set((name === null ? certificates[0]!.names : [name]).map((text) => text.toLowerCase()));
  const byType = new Map<string, number>();
  for (const [index, certificate] of certificates.entries()) {
    const isCandidate = certificate.names.some((text) => wanted.has(text.toLowerCase()));
    if (!isCandidate && !(name === null && index === 0)) continue;
    if (!byType.has(types[index]!)) byType.set(types[index]!, index);
  }
  return [...byType.values()];
}

function keyType(cert: string): string {
  return new X509Certificate(cert).publicKey.asymmetricKeyType ?? '';
}
