// Open connections of each client that a limit counts: their number over all workers in shared memory, and a list of those
// of this worker. Thread: worker.

import { clientNetwork } from '../../../core/address.ts';
import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { KeyedHash } from '../../../core/keyed-hash.ts';
import type { ClientCounts } from '../../../core/memory/client-counts.ts';
import type { PolicyServices } from '../../../core/policy/policy-definition.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';

/**
 * The client that a connection counts for: an IPv4 address or an IPv6 /64, for each listener. '' where there is no limit, for
 * a trusted proxy, which connects for many clients, and for a Unix socket.
 */
export function countedClient({ limits, name }: ListenerSnapshot, facts: ClientConnection): string {
  if (limits.connectionsPerClient === 0 || facts.isTrusted || facts.peerAddress === '') return '';
  return `${name} ${clientNetwork(facts.peerAddress)}`;
}

export class ClientConnections<Connection> {
  readonly #hash: KeyedHash;
  readonly #counts: ClientCounts;
  /** By client, oldest first. */
  readonly #listed = new Map<string, Set<Connection>>();

  constructor({ clients, counts }: Pick<PolicyServices, 'clients' | 'counts'>) {
    this.#hash = clients.hash.derive('connections-per-client');
    this.#counts = counts;
  }

  /** Whether a client has reached a limit over all workers. Workers may overshoot it by one each. */
  isFull(client: string, limit: number): boolean {
    this.#hash.of(client);
    return this.#counts.of(this.#hash.low, this.#hash.high) >= limit;
  }

  /** Connections of a client in this worker, oldest first. */
  of(client: string): Iterable<Connection> {
    return this.#listed.get(client) ?? [];
  }

  opened(client: string, connection: Connection): void {
    this.#hash.of(client);
    this.#counts.add(this.#hash.low, this.#hash.high, Number.POSITIVE_INFINITY);
    const listed = this.#listed.get(client);
    if (listed === undefined) this.#listed.set(client, new Set([connection]));
    else listed.add(connection);
  }

  closed(client: string, connection: Connection): void {
    this.#hash.of(client);
    this.#counts.subtract(this.#hash.low, this.#hash.high);
    const listed = this.#listed.get(client);
    listed?.delete(connection);
    if (listed?.size === 0) this.#listed.delete(client);
  }
}
