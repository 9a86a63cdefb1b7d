// Sockets of one listener in a worker: bound here, passed by the main thread, or none where another worker owns the
// address. Thread: worker.

import { chmod } from 'node:fs/promises';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { BoundListener } from '../../../core/messages.ts';
import type { BindAddress, ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { formatBindAddress, boundAddress } from '../../../net/host-port.ts';
import { isShared, ListenError } from './listen-address.ts';
import { removeStaleSocket } from '../../../net/unix-socket.ts';

/** Length of the accept queue. The kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

/** Buffered bytes at which a socket counts as full, in either direction. */
const HIGH_WATER_BYTES = 65_536;

/** Every local user may connect to a Unix socket, as to a TCP port; the mode of its directory restricts that. */
const UNIX_SOCKET_MODE = 0o666;

/** Events of a listener. */
export interface ListenerEvents {
  accepted(socket: Socket): void;
  /** A connection could not be accepted; the listener stays open. */
  failed(error: NodeJS.ErrnoException): void;
}

export class Listener {
  #address: string;
  #port = 0;
  readonly #name: string;
  readonly #bind: BindAddress;
  readonly #events: ListenerEvents;
  /** Empty where another worker owns the address. */
  readonly #servers: Server[] = [];

  private constructor(snapshot: ListenerSnapshot, events: ListenerEvents) {
    this.#name = snapshot.name;
    this.#bind = snapshot.bind;
    this.#events = events;
    this.#address = formatBindAddress(snapshot.bind);
  }

  /**
   * Binds an address, or accepts from the descriptors of sockets that are bound to it. A worker that doesn't own the address
   * binds nothing (isShared).
   * @param descriptors one for each socket; left out, the worker binds for itself
   * @throws ListenError, naming the address
   */
  static async bind(
    snapshot: ListenerSnapshot,
    worker: number,
    events: ListenerEvents,
    descriptors?: readonly number[],
  ): Promise<Listener> {
    const listener = new Listener(snapshot, events);
    if (descriptors !== undefined) await listener.take(descriptors);
    else if (worker === 0 || isShared(snapshot.bind)) await listener.#open(listenOptions(snapshot.bind));
    return listener;
  }

  /** Bound address, or the configured one where this worker has no socket of it. */
  get address(): string {
    return this.#address;
  }

  /** 0 for an address without a port. */
  get port(): number {
    return this.#port;
  }

  /** Accepts from bound sockets. Each descriptor belongs to this worker alone. @throws ListenError */
  async take(descriptors: readonly number[]): Promise<void> {
    for (const fd of descriptors) await this.#open({ fd, backlog: BACKLOG });
  }

  async #open(options: ListenOptions | { fd: number; backlog: number }): Promise<void> {
    const bind = this.#bind;
    // Half-open, so that a client that has sent FIN receives its response.
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_BYTES });
    server.on('connection', (socket) => this.#events.accepted(socket));
    try {
      if (bind.kind === 'unix' && !('fd' in options)) await removeStaleSocket(bind.path);
      await listen(server, options);
      if (bind.kind === 'unix') await chmod(bind.path, UNIX_SOCKET_MODE);
    } catch (error) {
      server.close();
      this.close();
      throw new ListenError(this.#name, bind, error as NodeJS.ErrnoException);
    }
    server.on('error', (error) => this.#events.failed(error));
    this.#servers.push(server);
    const { address, port } = boundAddress(bind, server.address());
    this.#address = address;
    this.#port = port;
  }

  /** The report to the main thread. */
  boundAs(name: string): BoundListener {
    return { name, address: this.address, port: this.port };
  }

  /** Stops accepting. Accepted connections stay open; the file of a Unix socket is removed. */
  close(): void {
    for (const server of this.#servers) server.close();
  }
}

function listen(server: Server, options: ListenOptions | { fd: number; backlog: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** `[::]` accepts IPv4, too, unless IPv4 is bound separately (an IPv4-mapped peer is reported as plain IPv4). */
function listenOptions(bind: BindAddress): ListenOptions | { fd: number; backlog: number } {
  switch (bind.kind) {
    case 'tcp':
      return { host: bind.host, port: bind.port, backlog: BACKLOG, reusePort: isShared(bind), ipv6Only: false };
    case 'unix':
      return { path: bind.path, backlog: BACKLOG };
    default:
      // A name has no meaning here: the main thread resolves it and passes the descriptor. -1 fails to bind.
      return { fd: typeof bind.fd === 'number' ? bind.fd : -1, backlog: BACKLOG };
  }
}
