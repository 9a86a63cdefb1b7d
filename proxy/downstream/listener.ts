// A listening socket: bound in this worker, or left to the worker that has it. Thread: worker.

import { chmod } from 'node:fs/promises';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { BoundListener } from '../../core/messages.ts';
import type { BindAddress, ListenerSnapshot } from '../../core/snapshot.ts';
import { addressText, boundAddress, isShared, ListenError } from './bind-address.ts';
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
  readonly address: string;
  readonly port: number;
  /** Null where another worker has the address. */
  readonly #server: Server | null;

  private constructor(server: Server | null, bound: { address: string; port: number }) {
    this.#server = server;
    this.address = bound.address;
    this.port = bound.port;
  }

  /**
   * Binds an address. A worker that doesn't own it binds nothing (isShared).
   * @throws ListenError, naming the address
   */
  static async bind(snapshot: ListenerSnapshot, worker: number, events: ListenerEvents): Promise<Listener> {
    const { bind, name } = snapshot;
    if (worker !== 0 && !isShared(bind)) return new Listener(null, { address: addressText(bind), port: 0 });
    // Half-open is allowed, so that a response is written out to a client that has sent FIN.
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_BYTES });
    server.on('connection', (socket) => events.accepted(socket));
    try {
      if (bind.kind === 'unix') await removeStaleSocket(bind.path);
      await listen(server, bind);
      if (bind.kind === 'unix') await chmod(bind.path, UNIX_SOCKET_MODE);
    } catch (error) {
      server.close();
      throw new ListenError(name, bind, error as NodeJS.ErrnoException);
    }
    server.on('error', (error) => events.failed(error));
    return new Listener(server, boundAddress(bind, server.address()));
  }

  /** What main is told of it. */
  boundAs(name: string): BoundListener {
    return { name, address: this.address, port: this.port };
  }

  /** Stops accepting. Connections that were accepted stay; a Unix socket's file goes. */
  close(): void {
    this.#server?.close();
  }
}

function listen(server: Server, bind: BindAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOptions(bind), () => {
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
      return { fd: bind.fd, backlog: BACKLOG };
  }
}
