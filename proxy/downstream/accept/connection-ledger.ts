// Counts of client connections in the listeners' lanes and the worker's own word, and the limits on connections and on
// requests per connection. Thread: worker.

import { LISTENER_FIELD } from '../../../core/memory/lane-fields.ts';
import { WORKER } from '../../../core/memory/layout.ts';
import type { Region } from '../../../core/memory/region.ts';
import type { Random } from '../../../core/random.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { TLS_FAILURES, type TlsFailure } from '../../../core/tls-failure.ts';
import { ListenerLane } from '../../account/lane.ts';
import { Http2Counts } from './http2-counts.ts';

export class ConnectionLedger {
  readonly #region: Region;
  readonly #openWord: number;
  readonly #worker: number;
  readonly #mostOfProcess: number;
  readonly #lanes: (ListenerLane | undefined)[] = [];

  /**
   * Starts at zero: the sockets of a worker that died with this index died with it.
   * @param mostOfProcess the most open connections over all workers
   */
  constructor(region: Region, worker: number, mostOfProcess = Number.POSITIVE_INFINITY) {
    this.#region = region;
    this.#mostOfProcess = mostOfProcess;
    this.#worker = worker;
    this.#openWord = region.workerWord(worker) + WORKER.openConnections.index;
    region.words[this.#openWord] = 0;
  }

  /** Open connections of this worker. */
  get openCount(): number {
    return this.#region.words[this.#openWord]!;
  }

  /** Whether the process has as many connections as it has descriptors for. Workers may overshoot it by one each. */
  get isProcessFull(): boolean {
    return this.#region.sumOfWorkers(WORKER.openConnections.index) >= this.#mostOfProcess;
  }

  /** Whether a listener has reached its connection limit over all workers. Workers may overshoot it by one each. */
  isFull(listener: ListenerSnapshot): boolean {
    const limit = listener.limits.connections;
    if (limit === 0) return false;
    const { doubles, capacity } = this.#region;
    let open = 0;
    for (let worker = 0; worker < capacity.workers; worker++) {
      open += doubles[this.#region.listenerLane(worker, listener.index) + LISTENER_FIELD.connectionsOpen]!;
    }
    return open >= limit;
  }

  /** Counts an accepted connection. @returns a function to call once, when it has closed */
  opened(listenerIndex: number): () => void {
    const lane = this.#lane(listenerIndex);
    lane.add(LISTENER_FIELD.connectionsAccepted, 1);
    lane.add(LISTENER_FIELD.connectionsOpen, 1);
    this.#region.words[this.#openWord]! += 1;
    return () => {
      lane.add(LISTENER_FIELD.connectionsOpen, -1);
      this.#region.words[this.#openWord]! -= 1;
    };
  }

  /** Counts a connection that speaks HTTP/2. */
  http2Opened(listenerIndex: number): Http2Counts {
    return new Http2Counts(this.#lane(listenerIndex));
  }

  /** Counts a connection that was closed at once because of the limit. */
  refused(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.connectionsRefused, 1);
  }

  /** Counts a connection that was closed at once because its client has as many as it may have. */
  refusedToClient(listenerIndex: number): void {
    this.refused(listenerIndex);
    this.#lane(listenerIndex).add(LISTENER_FIELD.clientConnectionsRefused, 1);
  }

  /** Counts a connection that was closed to make room for another one on its listener. */
  evicted(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.connectionsEvicted, 1);
  }

  /** Counts a connection that was closed to make room for another one of the process. */
  evictedForProcess(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.processConnectionsEvicted, 1);
  }

  /** Counts a connection that was closed to make room for another one of its client. */
  evictedForClient(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.clientConnectionsEvicted, 1);
  }

  /** Counts a connection that the engine has handed off to node:http. */
  handedOff(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.handOffs, 1);
  }

  /** Counts a TLS handshake that failed or timed out. */
  tlsFailed(listenerIndex: number, cause: TlsFailure): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD[TLS_FAILURES[cause]], 1);
  }

  /** Counts a complete TLS handshake. */
  tlsCompleted(listenerIndex: number, isResumed: boolean): void {
    this.#lane(listenerIndex).add(isResumed ? LISTENER_FIELD.tlsResumed : LISTENER_FIELD.tlsFull, 1);
  }

  /** Counts a connection that was closed because its PROXY protocol header was missing, malformed or late. */
  proxyHeaderRefused(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.proxyHeadersRefused, 1);
  }

  /** Counts a connection that was closed because its peer may not send a PROXY protocol header. */
  proxyPeerRefused(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.proxyPeersRefused, 1);
  }

  #lane(listenerIndex: number): ListenerLane {
    return (this.#lanes[listenerIndex] ??= new ListenerLane(this.#region, this.#worker, listenerIndex));
  }
}

const SPREAD = 0.1;

/** A limit on the requests of one connection, lowered by up to 10 %: clients that connected together reconnect apart. */
export function jittered(limit: number, random: Random): number {
  if (limit === 0) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.round(limit * (1 - SPREAD * random.next())));
}
