// Counts of client connections: the listeners' lanes and the worker's own word, and the limit that they serve.
// Thread: worker.

import { LISTENER_FIELD } from '../../../core/memory/lane-fields.ts';
import { WORKER } from '../../../core/memory/layout.ts';
import type { Region } from '../../../core/memory/region.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { ListenerLane } from '../../account/lane.ts';

export class ConnectionLedger {
  readonly #region: Region;
  readonly #openWord: number;
  readonly #worker: number;
  readonly #lanes: (ListenerLane | undefined)[] = [];

  /** Begins with no connection open, whatever a worker before it left (its sockets died with it). */
  constructor(region: Region, worker: number) {
    this.#region = region;
    this.#worker = worker;
    this.#openWord = region.workerWord(worker) + WORKER.openConnections.index;
    region.words[this.#openWord] = 0;
  }

  /** Connections of this worker that are open. */
  get openCount(): number {
    return this.#region.words[this.#openWord]!;
  }

  /** Whether a listener has as many connections, over all workers, as it may have. Workers may overshoot by one each. */
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

  /** Counts an accepted connection. Call what is returned once, when it has closed. */
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

  /** Counts a connection that was closed at once, over the limit. */
  refused(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.connectionsRefused, 1);
  }

  /** Counts a connection that the fast path has given to the general one. */
  handedOff(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.handOffs, 1);
  }

  /** Counts a TLS handshake that failed or took too long. */
  tlsFailed(listenerIndex: number): void {
    this.#lane(listenerIndex).add(LISTENER_FIELD.tlsFailures, 1);
  }

  #lane(listenerIndex: number): ListenerLane {
    return (this.#lanes[listenerIndex] ??= new ListenerLane(this.#region, this.#worker, listenerIndex));
  }
}
