// Bound on connections without a complete request: half-sent heads must not block probes. Thread: main.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Connections that may wait for a request, or be idle between two. Beyond it the oldest one is closed. */
const MAX_PENDING = 256;
/** The same for one peer address: probes of other machines must not be evicted by one that opens many. */
const MAX_PENDING_PER_ADDRESS = 64;

/** Under TLS a request has another socket object than the accepted connection, with the same peer. */
type Key = string | Socket;

interface Pending {
  readonly socket: Socket;
  readonly address: string;
}

/** Closes the oldest connection without a request where there are too many. */
export function boundPendingConnections(server: Server): void {
  const pending = new PendingConnections();
  server.on('connection', (socket: Socket) => pending.accepted(socket));
  server.prependListener('request', (request, response) => pending.requested(request, response));
}

class PendingConnections {
  /** Oldest first. */
  readonly #pending = new Map<Key, Pending>();
  readonly #counts = new Map<string, number>();

  accepted(socket: Socket): void {
    const key = keyOf(socket);
    this.#add(key, { socket, address: socket.remoteAddress ?? '' });
    socket.on('close', () => this.#remove(key));
  }

  /** A complete head: the connection is in use until its response ends. */
  requested({ socket }: IncomingMessage, response: ServerResponse): void {
    const key = keyOf(socket);
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#remove(key);
    response.on('close', () => {
      if (!pending.socket.destroyed) this.#add(key, pending);
    });
  }

  #add(key: Key, pending: Pending): void {
    const count = (this.#counts.get(pending.address) ?? 0) + 1;
    this.#pending.set(key, pending);
    this.#counts.set(pending.address, count);
    // All clients of a Unix socket have the same address, and only the total bounds them.
    if (count > MAX_PENDING_PER_ADDRESS && pending.address !== '') this.#evictOldest(pending.address);
    else if (this.#pending.size > MAX_PENDING) this.#evictOldest(null);
  }

  #evictOldest(address: string | null): void {
    for (const [key, pending] of this.#pending) {
      if (address !== null && pending.address !== address) continue;
      this.#remove(key);
      pending.socket.destroy();
      return;
    }
  }

  #remove(key: Key): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    const count = this.#counts.get(pending.address)! - 1;
    if (count > 0) this.#counts.set(pending.address, count);
    else this.#counts.delete(pending.address);
  }
}

function keyOf(socket: Socket): Key {
  const { remoteAddress, remotePort } = socket;
  return remotePort === undefined ? socket : `${remoteAddress} ${remotePort}`;
}
