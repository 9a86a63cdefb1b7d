// Facts about a client connection, shared by every exchange on it. Thread: worker.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, ClientConnection, ProxiedValues } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { plainAddress } from '../../../net/host-port.ts';
import type { ProxyHeader } from '../../../net/proxy-protocol/header.ts';
import type { ClientHello } from './client-hello.ts';

/** A listener whose settings and index in the Snapshot may change at a reload. */
export interface LiveListener {
  snapshot: ListenerSnapshot;
  /** The bound port, which is the local port of every connection. 0 where there is none, or it isn't known yet. */
  port: number;
}

const NO_PROTOCOLS: readonly string[] = [];

/** Facts read once, at accept: a closed socket has lost them. A PROXY protocol header replaces them before any request. */
export class ConnectionFacts implements ClientConnection {
  peerAddress: string;
  peerPort: number;
  localPort: number;
  isTls: boolean;
  tlsVersion = '';
  /** Set once the handshake is over. */
  certificate: ClientCertificate | null = null;
  isTrusted: boolean;
  readonly #listener: LiveListener;
  /** The accepted socket; the TLS socket over it once the handshake is over. */
  #socket: Socket | TLSSocket;
  #header: ProxyHeader | null = null;
  /** ClientHello that is passed on; null for none. */
  #hello: Pick<ClientHello, 'serverName' | 'protocols'> | null = null;
  #onClosed: Map<object, () => void> | null = null;

  /** @param isTrusted whether an address is one of the listener's trusted proxies */
  constructor(socket: Socket, listener: LiveListener, isTrusted: (address: string) => boolean) {
    this.#listener = listener;
    this.#socket = socket;
    this.peerAddress = plainAddress(socket.remoteAddress);
    this.peerPort = socket.remotePort ?? 0;
    // Each property of the socket is a system call.
    this.localPort = listener.port > 0 ? listener.port : (socket.localPort ?? 0);
    this.isTls = listener.snapshot.tls !== null;
    this.isTrusted = this.peerAddress !== '' && isTrusted(this.peerAddress);
  }

  /**
   * Takes the client's side of the connection from a PROXY protocol header: its address and port, the port that it connected
   * to, and TLS that the sender has terminated. From then on the client counts as the peer.
   */
  takeHeader(header: ProxyHeader, isTrusted: (address: string) => boolean): void {
    const { addresses, tls } = header;
    this.#header = header;
    if (addresses !== null) {
      const isIp = addresses.kind === 'ip';
      this.peerAddress = isIp ? addresses.source : '';
      this.peerPort = addresses.sourcePort;
      if (isIp) this.localPort = addresses.destinationPort;
      this.isTrusted = isIp && isTrusted(addresses.source);
    }
    if (tls?.isTls !== true || this.isTls) return;
    this.isTls = true;
    this.tlsVersion = tls.version;
  }

  /** The TLS handshake is over. */
  secured(stream: TLSSocket): void {
    this.#socket = stream;
    this.tlsVersion = stream.getProtocol() ?? '';
  }

  /** The client has sent the ClientHello of a TLS handshake that an endpoint answers. */
  requested({ serverName, protocols }: Pick<ClientHello, 'serverName' | 'protocols'>): void {
    this.#hello = { serverName, protocols };
  }

  get proxied(): ProxiedValues | null {
    const header = this.#header;
    if (header === null) return null;
    return { authority: header.authority, alpn: header.alpn, uniqueId: printableId(header.uniqueId) };
  }

  get localAddress(): string {
    const addresses = this.#header?.addresses ?? null;
    if (addresses !== null) return addresses.kind === 'ip' ? addresses.destination : '';
    return plainAddress(this.#socket.localAddress);
  }

  get serverName(): string {
    const name = 'servername' in this.#socket ? this.#socket.servername : '';
    if (typeof name === 'string' && name !== '') return name;
    const requested = this.#hello?.serverName ?? '';
    return requested === '' ? (this.#header?.authority ?? '') : requested;
  }

  /** Protocols of ALPN: those of a ClientHello that is passed on, else the one agreed on. */
  get protocols(): readonly string[] {
    if (this.#hello !== null) return this.#hello.protocols;
    const { alpn } = this;
    return alpn === '' ? NO_PROTOCOLS : [alpn];
  }

  get alpn(): string {
    const protocol = 'alpnProtocol' in this.#socket ? this.#socket.alpnProtocol : false;
    return typeof protocol === 'string' ? protocol : (this.#header?.alpn ?? '');
  }

  onceClosed(owner: object, callback: () => void): void {
    if (this.#socket.destroyed) return queueMicrotask(callback);
    if (this.#onClosed === null) {
      const callbacks = new Map<object, () => void>();
      this.#onClosed = callbacks;
      this.#socket.once('close', () => {
        for (const onClosed of callbacks.values()) onClosed();
      });
    }
    this.#onClosed.set(owner, callback);
  }

  /** The listener's index in the current Snapshot: a connection outlives reloads that change it. */
  get listenerIndex(): number {
    return this.#listener.snapshot.index;
  }

  get listenerName(): string {
    return this.#listener.snapshot.name;
  }
}

function printableId(id: string): string {
  return /^[\x21-\x7e]*$/.test(id) ? id : Buffer.from(id, 'latin1').toString('hex');
}
