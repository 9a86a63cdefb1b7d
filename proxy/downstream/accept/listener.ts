// A listener's sockets in one worker: bound here, handed over by main, or left to the worker that has it. Thread: worker.

import { chmod } from 'node:fs/promises';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { BoundListener } from '../../../core/messages.ts';
import type { BindAddress, ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { formatBindAddress, boundAddress } from '../../../net/host-port.ts';
import { isShared, ListenError } from './listen-address.ts';
import { removeStaleSocket } from './unix-socket.ts';

/** Connections that the kernel holds until a worker takes them. It cuts this to net.core.somaxconn. */
const BACKLOG = 4096;

/** Buffered bytes at which a socket counts as full, in either direction. */
const HIGH_WATER_BYTES = 65_536;

/** Who may connect to a Unix socket: everybody, as with a TCP port; its directory's mode says otherwise. */
const UNIX_SOCKET_MODE = 0o666;

/** What a listener tells. */
export interface ListenerEvents {
  accepted(socket: Socket): void;
  /** A connection could not be accepted; the listener goes on. */
  failed(error: NodeJS.ErrnoException): void;
}

export class Listener {
  #address: string;
  #port = 0;
  readonly #name: string;
  readonly #bind: BindAddress;
  readonly #events: ListenerEvents;
  /** None where other workers have the address. */
  readonly #servers: Server[] = [];

  private constructor(snapshot: ListenerSnapshot, events: ListenerEvents) {
    this.#name = snapshot.name;
    this.#bind = snapshot.bind;
    this.#events = events;
    this.#address = formatBindAddress(snapshot.bind);
  }

  /**
   * Binds an address, or takes the descriptors of sockets that are bound to it already. A worker that doesn't own the
   * address binds nothing (isShared).
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

  /** Where it is bound: host:port or the socket's path; as configured where this worker has no socket of it. */
  get address(): string {
    return this.#address;
  }

  /** 0 for what has none. */
  get port(): number {
    return this.#port;
  }

  /** Accepts from sockets that are bound already. Each descriptor is this worker's alone. @throws ListenError */
  async take(descriptors: readonly number[]): Promise<void> {
    for (const fd of descriptors) await this.#open({ fd, backlog: BACKLOG });
  }

  async #open(options: ListenOptions | { fd: number; backlog: number }): Promise<void> {
    const bind = this.#bind;
    // Half-open is allowed, so that a response is written out to a client that has sent FIN.
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

  /** What main is told of it. */
  boundAs(name: string): BoundListener {
    return { name, address: this.address, port: this.port };
  }

  /** Stops accepting. Connections that were accepted stay; a Unix socket's file goes. */
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

/** `[::]` takes IPv4, too, unless it is bound to its own address (an IPv4-mapped peer is shown as plain IPv4). */
function listenOptions(bind: BindAddress): ListenOptions | { fd: number; backlog: number } {
  switch (bind.kind) {
    case 'tcp':
      return { host: bind.host, port: bind.port, backlog: BACKLOG, reusePort: isShared(bind), ipv6Only: false };
    case 'unix':
      return { path: bind.path, backlog: BACKLOG };
    default:
      // A name means nothing here: main looks it up and hands the descriptor over. No socket has this one.
      return { fd: typeof bind.fd === 'number' ? bind.fd : -1, backlog: BACKLOG };
  }
}
