// Accepted connections of a worker: admission at the limits on connections, eviction of older connections that make room,
// and the end of all. Thread: worker.

import type { Socket } from 'node:net';
import type { Clock } from '../../../core/clock.ts';
import type { PolicyServices } from '../../../core/policy/policy-definition.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { Timers } from '../../../core/timers.ts';
import type { DrainableConnection } from '../downstream-context.ts';
import { ClientConnections, countedClient } from './client-connections.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import type { ConnectionLedger } from './connection-ledger.ts';

/** Pause after a search that found nothing: a flood of connections must not pay for one each. */
const SEARCH_PAUSE_MS = 20;
/** Keys of searches that concern no single listener; those of listeners are their indexes. */
const ALL_HEADS = -1;
const ALL_IDLE = -2;

interface Accepted {
  readonly raw: Socket;
  readonly facts: ConnectionFacts;
  /** See countedClient; '' until a PROXY protocol header has named it. */
  client: string;
  /** Takes the connection out of the counts of its listener; called once. */
  readonly close: () => void;
  /** Null during a TLS handshake. */
  connection: DrainableConnection | null;
  /** An evicted connection no longer counts, although its socket may still be closing. */
  isCounted: boolean;
}

export interface ConnectionTableParts {
  readonly ledger: ConnectionLedger;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Memory about clients; without it there is no limit for each. */
  readonly clients: Pick<PolicyServices, 'clients' | 'counts'> | null;
}

export class ConnectionTable {
  readonly #ledger: ConnectionLedger;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #clients: ClientConnections<Accepted> | null;
  /** Every accepted socket, oldest first. */
  readonly #accepted = new Map<Socket, Accepted>();
  /** Monotonic ms until which a search that found nothing is not repeated. */
  readonly #pausedUntilMs = new Map<number, number>();
  #emptied: (() => void) | null = null;

  constructor({ ledger, clock, timers, clients }: ConnectionTableParts) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#timers = timers;
    this.#clients = clients === null ? null : new ClientConnections(clients);
  }

  /**
   * Counts a new connection until its socket has closed. At a limit an older connection is evicted for it.
   * @param client '' where `nameClient` follows
   * @returns false where there is none to evict: the connection is counted as refused, and must be destroyed
   */
  admit(
    raw: Socket,
    facts: ConnectionFacts,
    listener: ListenerSnapshot,
    client = countedClient(listener, facts),
  ): boolean {
    if (client !== '' && !this.#admitClient(client, listener)) return false;
    if (this.#ledger.isProcessFull && !this.#makeRoomInProcess(listener)) return false;
    if (this.#ledger.isFull(listener) && !this.#makeRoom(listener)) return false;
    const close = this.#ledger.opened(listener.index);
    const accepted: Accepted = { raw, facts, client, close, connection: null, isCounted: true };
    this.#accepted.set(raw, accepted);
    if (client !== '') this.#clients?.opened(client, accepted);
    raw.on('close', () => this.#closed(accepted));
    return true;
  }

  /**
   * Counts an admitted connection for its client, once a header has named it. At the client's limit an older one is evicted.
   * @returns false where there is none to evict: the connection is counted as refused, and must be destroyed
   */
  nameClient(raw: Socket, listener: ListenerSnapshot): boolean {
    const accepted = this.#accepted.get(raw);
    if (accepted === undefined || !accepted.isCounted) return false;
    const client = countedClient(listener, accepted.facts);
    if (client === '') return true;
    if (!this.#admitClient(client, listener)) return false;
    accepted.client = client;
    this.#clients?.opened(client, accepted);
    return true;
  }

  /** Sets the connection of a socket, once its protocol is known; null for a TLS handshake. */
  identify(raw: Socket, connection: DrainableConnection | null): void {
    const accepted = this.#accepted.get(raw);
    if (accepted !== undefined && !raw.destroyed) accepted.connection = connection;
  }

  startDrain(): void {
    for (const { connection } of this.#accepted.values()) connection?.startDrain();
  }

  /** @returns the number of connections that were open */
  destroyAll(): number {
    const { size } = this.#accepted;
    for (const { raw, connection } of this.#accepted.values()) (connection ?? raw).destroy();
    return size;
  }

  /** Resolves when no socket is open. */
  allClosed(): Promise<void> {
    if (this.#accepted.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptied = resolve;
    });
  }

  /** A client at its limit makes room by its own connections, idle ones included. */
  #admitClient(client: string, { limits, index }: ListenerSnapshot): boolean {
    if (this.#clients?.isFull(client, limits.connectionsPerClient) !== true) return true;
    for (const accepted of this.#clients.of(client)) {
      if (!this.#evict(accepted, true)) continue;
      this.#ledger.evictedForClient(index);
      return true;
    }
    this.#ledger.refusedToClient(index);
    return false;
  }

  /**
   * Closes the oldest connection of a listener without a whole request head: half-sent heads must not keep others out
   * (Slowloris). Idle connections that have had a request stay.
   */
  #makeRoom({ index }: ListenerSnapshot): boolean {
    const evicted = this.#evictOldest(index, index, false);
    if (evicted === null) this.#ledger.refused(index);
    else this.#ledger.evicted(index);
    return evicted !== null;
  }

  /**
   * Closes a connection of any listener where descriptors are short: one without a whole request head, or else one that is
   * idle, because a request can't be forwarded without a descriptor for its endpoint.
   */
  #makeRoomInProcess({ index }: ListenerSnapshot): boolean {
    const evicted = this.#evictOldest(ALL_HEADS, null, false) ?? this.#evictOldest(ALL_IDLE, null, true);
    if (evicted === null) this.#ledger.refused(index);
    else this.#ledger.evictedForProcess(evicted.facts.listenerIndex);
    return evicted !== null;
  }

  /** Closes the oldest connection that may be evicted. @param search key of its pause @param listener null for any */
  #evictOldest(search: number, listener: number | null, mayBeIdle: boolean): Accepted | null {
    const nowMs = this.#clock.nowMs();
    if (nowMs < (this.#pausedUntilMs.get(search) ?? 0)) return null;
    for (const accepted of this.#accepted.values()) {
      const isOfListener = listener === null || accepted.facts.listenerIndex === listener;
      if (isOfListener && this.#evict(accepted, mayBeIdle)) return accepted;
    }
    this.#pausedUntilMs.set(search, nowMs + SEARCH_PAUSE_MS);
    return null;
  }

  #evict(accepted: Accepted, mayBeIdle: boolean): boolean {
    const { connection, isCounted } = accepted;
    if (!isCounted || connection?.evict(mayBeIdle) === false) return false;
    if (connection === null) this.#endHandshake(accepted);
    this.#uncount(accepted);
    return true;
  }

  /** In a turn of its own: see TlsAcceptor. */
  #endHandshake(accepted: Accepted): void {
    this.#timers.after(0, () => {
      if (accepted.connection === null) accepted.raw.destroy();
      else accepted.connection.evict(true);
    });
  }

  #closed(accepted: Accepted): void {
    this.#uncount(accepted);
    this.#accepted.delete(accepted.raw);
    if (this.#accepted.size === 0) this.#emptied?.();
  }

  #uncount(accepted: Accepted): void {
    if (!accepted.isCounted) return;
    accepted.isCounted = false;
    accepted.close();
    if (accepted.client !== '') this.#clients?.closed(accepted.client, accepted);
  }
}
