// The owner of the Snapshot. A Snapshot is complete (ports resolved) before it is published, and is refused as a whole
// or applied as a whole. Thread: main.

import type { EndpointChange } from '../core/messages.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';

/** A part of the control plane that works from the Snapshot. */
export interface SnapshotConsumer {
  /** Takes over a complete Snapshot. Can't refuse it: that is what gates are for. */
  apply(snapshot: Snapshot): void | Promise<void>;
  /** Takes over a Snapshot in which only endpoints differ from the one before. Absent: endpoints don't matter to it. */
  amend?(snapshot: Snapshot, change: EndpointChange): void;
  /** Releases what the consumer holds. Called once, at the end. */
  stop(): void | Promise<void>;
}

/** A part that must acquire something for a Snapshot, such as an address, and can refuse it. */
export interface SnapshotGate {
  /** Returns the Snapshot, completed. @throws the reason why it is refused; nothing has changed then */
  prepare(next: Snapshot): Promise<Snapshot>;
  /** Gives back what `prepare` acquired, where a later gate has refused the Snapshot. The last gate needs none. */
  discard?(): Promise<void>;
}

export class SnapshotOwner {
  readonly #gates: readonly SnapshotGate[];
  readonly #consumers: readonly SnapshotConsumer[];
  #current: Snapshot;
  #received: Snapshot;
  #isInstalling = false;

  /**
   * @param first is published by the first `install`
   * @param gates are prepared in this order
   * @param consumers receive each Snapshot in this order, and are stopped in the opposite one
   */
  constructor(first: Snapshot, gates: readonly SnapshotGate[], consumers: readonly SnapshotConsumer[]) {
    this.#current = first;
    this.#received = first;
    this.#gates = gates;
    this.#consumers = consumers;
  }

  /** The Snapshot that runs. */
  get current(): Snapshot {
    return this.#current;
  }

  /** The Snapshot that runs, as it was before the gates completed it. */
  get received(): Snapshot {
    return this.#received;
  }

  /** Prepares a Snapshot, and publishes it. Call again when it has settled. @throws the reason why a gate refuses it */
  async install(next: Snapshot): Promise<void> {
    this.#isInstalling = true;
    try {
      const snapshot = await this.#prepare(next);
      this.#current = snapshot;
      this.#received = next;
      for (const consumer of this.#consumers) await consumer.apply(snapshot);
    } finally {
      this.#isInstalling = false;
    }
  }

  /** Whether a Snapshot is being installed: endpoints can't be changed meanwhile. */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  /** Publishes other endpoints of upstreams at once, under the same revision. Not while a Snapshot is being installed. */
  amend(change: EndpointChange): void {
    const snapshot = withEndpoints(this.#current, change);
    this.#current = snapshot;
    for (const consumer of this.#consumers) consumer.amend?.(snapshot, change);
  }

  async stop(): Promise<void> {
    for (const consumer of this.#consumers.toReversed()) await consumer.stop();
  }

  async #prepare(next: Snapshot): Promise<Snapshot> {
    const passed: SnapshotGate[] = [];
    let snapshot = next;
    try {
      for (const gate of this.#gates) {
        snapshot = await gate.prepare(snapshot);
        passed.push(gate);
      }
      return snapshot;
    } catch (error) {
      for (const gate of passed.toReversed()) await gate.discard?.();
      throw error;
    }
  }
}

/** The Snapshot with other endpoints; the upstreams that stay are the same objects. */
function withEndpoints(snapshot: Snapshot, { membership, upstreams }: EndpointChange): Snapshot {
  const changed = new Map(upstreams.map(({ index, endpoints }) => [index, endpoints]));
  return Object.freeze({
    ...snapshot,
    membership,
    upstreams: snapshot.upstreams.map((upstream) => {
      const endpoints = changed.get(upstream.index);
      return endpoints === undefined ? upstream : Object.freeze({ ...upstream, endpoints });
    }),
  });
}
