// What is known about a client's connection, for every exchange on it. Thread: worker.

import type { Socket } from 'node:net';
import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { plainAddress } from '../../../net/host-port.ts';

/** A listener that stays while reloads change its settings and its place in the Snapshot. */
export interface LiveListener {
  snapshot: ListenerSnapshot;
  /** The port that it is bound to: that of our end of every connection. 0 where it has none, or while it isn't known. */
  port: number;
}

/** Facts read once, at the accept: later the socket may be closed and know nothing any more. */
export class ConnectionFacts implements ClientConnection {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly localPort: number;
  readonly isTls: boolean;
  readonly isTrusted: boolean;
  readonly #listener: LiveListener;

  /** @param isTrusted whether an address is one of the listener's trusted proxies */
  constructor(socket: Socket, listener: LiveListener, isTrusted: (address: string) => boolean) {
    this.#listener = listener;
    this.peerAddress = plainAddress(socket.remoteAddress);
    this.peerPort = socket.remotePort ?? 0;
    // Each question to the socket is a system call.
    this.localPort = listener.port > 0 ? listener.port : (socket.localPort ?? 0);
    this.isTls = listener.snapshot.tls !== null;
    this.isTrusted = this.peerAddress !== '' && isTrusted(this.peerAddress);
  }

  /** The listener's place in the newest Snapshot: a connection outlives reloads that move it. */
  get listenerIndex(): number {
    return this.#listener.snapshot.index;
  }

  get listenerName(): string {
    return this.#listener.snapshot.name;
  }
}
