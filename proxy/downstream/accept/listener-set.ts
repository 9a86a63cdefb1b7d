// The listeners of one worker over reloads. New ones are bound in a first phase, before anything of a Snapshot is
// applied, so that a reload whose address is taken can be refused with nothing changed. Thread: worker.

import type { Socket } from 'node:net';
import type { BoundListener, HeldDescriptors } from '../../../core/messages.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { formatBindAddress } from '../../../net/host-port.ts';
import { Listener, type ListenerEvents } from './listener.ts';

/** Serves the connections of a listener. */
export interface ListenerService extends ListenerEvents {
  /** Takes the settings of a newer Snapshot, for new connections. */
  update(snapshot: ListenerSnapshot): void;
  /** Called once the listener is bound. */
  bound(listener: Listener): void;
}

interface Member {
  readonly listener: Listener;
  readonly gate: Gate;
}

export class ListenerSet {
  readonly #worker: number;
  readonly #serve: (snapshot: ListenerSnapshot) => ListenerService;
  /** By keyOf. */
  #active: ReadonlyMap<string, Member> = new Map();
  /** Bound, and not yet part of the configuration. */
  readonly #prepared = new Map<string, Member>();
  /** Calls run one after the other: two at once would both bind a new address, and one socket would be lost. */
  #queue: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(worker: number, serve: (snapshot: ListenerSnapshot) => ListenerService) {
    this.#worker = worker;
    this.#serve = serve;
  }

  /**
   * First phase of a reload: binds listeners that are not active yet. Their connections wait until `apply` or `discard`.
   * Where one can't be bound, none stays bound.
   * @param held sockets that are bound already, see `apply`
   * @returns the address of each
   * @throws ListenError
   */
  prepare(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors = {}): Promise<BoundListener[]> {
    return this.#enqueue(async () => {
      const bound: BoundListener[] = [];
      try {
        for (const snapshot of snapshots) {
          const member = this.#active.get(keyOf(snapshot)) ?? (await this.#bind(snapshot, held[snapshot.name]));
          if (member.gate.isShut) this.#prepared.set(keyOf(snapshot, member.listener.port), member);
          bound.push(member.listener.boundAs(snapshot.name));
        }
      } catch (error) {
        this.#discard();
        throw error;
      }
      return bound;
    });
  }

  /** Closes listeners that were prepared and not applied, with their waiting connections. */
  discard(): Promise<void> {
    return this.#enqueue(() => this.#discard());
  }

  /**
   * Second phase: makes the listeners those of a Snapshot. Adopts prepared ones, binds those that were not prepared,
   * keeps those whose address stays (with new settings for new connections), and then closes the others. Where one
   * can't be bound nothing changes.
   * @param held descriptors of sockets that are bound already: their listeners adopt these, and bind nothing
   * @returns the address of each, in the order of the Snapshot
   * @throws ListenError
   */
  apply(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors = {}): Promise<BoundListener[]> {
    return this.#enqueue(() => (this.#isClosed ? [] : this.#apply(snapshots, held)));
  }

  /** Stops accepting, for good. */
  close(): void {
    this.#isClosed = true;
    this.#discard();
    for (const { listener } of this.#active.values()) listener.close();
  }

  async #apply(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors): Promise<BoundListener[]> {
    const before = this.#active;
    const known = (snapshot: ListenerSnapshot): Member | undefined =>
      before.get(keyOf(snapshot)) ?? this.#prepared.get(keyOf(snapshot));
    const fresh = await this.#bindAll(
      snapshots.filter((snapshot) => known(snapshot) === undefined),
      held,
    );
    for (const snapshot of snapshots) await known(snapshot)?.listener.take(held[snapshot.name] ?? []);
    const after = new Map<string, Member>();
    const bound: BoundListener[] = [];
    for (const snapshot of snapshots) {
      const member = fresh.get(keyOf(snapshot)) ?? known(snapshot)!;
      // Where the system chose the port, later Snapshots name it: it is part of the key from then on.
      const key = keyOf(snapshot, member.listener.port);
      this.#prepared.delete(key);
      member.gate.service.update(snapshot);
      after.set(key, member);
      bound.push(member.listener.boundAs(snapshot.name));
    }
    this.#active = after;
    for (const { gate } of after.values()) gate.open();
    for (const [key, { listener }] of before) if (!after.has(key)) listener.close();
    this.#discard();
    return bound;
  }

  /** Binds several; where one fails, none stays bound. */
  async #bindAll(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors): Promise<Map<string, Member>> {
    const bound = new Map<string, Member>();
    try {
      for (const snapshot of snapshots) bound.set(keyOf(snapshot), await this.#bind(snapshot, held[snapshot.name]));
    } catch (error) {
      for (const { listener } of bound.values()) listener.close();
      throw error;
    }
    return bound;
  }

  async #bind(snapshot: ListenerSnapshot, descriptors: readonly number[] | undefined): Promise<Member> {
    const service = this.#serve(snapshot);
    const gate = new Gate(service);
    const listener = await Listener.bind(snapshot, this.#worker, gate, descriptors);
    service.bound(listener);
    return { listener, gate };
  }

  #discard(): void {
    for (const { listener, gate } of this.#prepared.values()) {
      listener.close();
      gate.discard();
    }
    this.#prepared.clear();
  }

  #enqueue<T>(run: () => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(run);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** Holds the connections of a listener back until its Snapshot is applied. */
class Gate implements ListenerEvents {
  readonly service: ListenerService;
  #waiting: Socket[] | null = [];

  constructor(service: ListenerService) {
    this.service = service;
  }

  get isShut(): boolean {
    return this.#waiting !== null;
  }

  accepted(socket: Socket): void {
    if (this.#waiting === null) return this.service.accepted(socket);
    socket.on('error', () => undefined);
    this.#waiting.push(socket);
  }

  failed(error: NodeJS.ErrnoException): void {
    this.service.failed(error);
  }

  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const socket of waiting) if (!socket.destroyed) this.service.accepted(socket);
  }

  discard(): void {
    for (const socket of this.#waiting ?? []) socket.destroy();
  }
}

/** Identifies a listener over reloads: its address, and its name while the system is still to choose the port. */
function keyOf({ bind, name }: ListenerSnapshot, chosenPort = 0): string {
  if (bind.kind !== 'tcp' || bind.port !== 0) return formatBindAddress(bind);
  return chosenPort === 0 ? `${formatBindAddress(bind)} ${name}` : formatBindAddress({ ...bind, port: chosenPort });
}
