// Slot assignment in shared memory, keyed by identity, so that health, counters and slow start
// survive a reload (docs/design.md 1.6). Thread: main.

/** A slot, and a number that distinguishes its current owner from earlier ones. */
export interface SlotAssignment {
  readonly slot: number;
  /** 1 for the first owner of a slot. */
  readonly generation: number;
}

/** The region has too few records for a configuration; the message states how many are missing. */
export class CapacityError extends Error {
  override readonly name = 'CapacityError';
}

/** Stands for the revision of an owner that no Snapshot has any more. */
const RELEASED = -1;

interface Owner {
  readonly identity: string;
  /** Revision of the newest Snapshot that it is in. */
  lastSeen: number;
}

/**
 * Slots 0..capacity-1. An identity keeps its slot while it is in the newest Snapshot. After that the slot stays occupied
 * until `reclaim`, which the caller invokes when every worker has acknowledged a Snapshot without it and nothing is in
 * flight.
 */
export class SlotTable {
  readonly #noun: string;
  readonly #owners: (Owner | null)[];
  readonly #generations: number[];
  readonly #slots = new Map<string, number>();
  /** No slot below it is free. */
  #lowest = 0;
  /** Slots whose owners were in no Snapshot from `#retiredFrom` on when they were last sought, or have been released since. */
  #retired = new Set<number>();
  #retiredFrom = 0;

  /** @param noun plural name of the owners in messages, such as 'endpoints' */
  constructor(noun: string, capacity: number) {
    this.#noun = noun;
    this.#owners = Array.from({ length: capacity }, () => null);
    this.#generations = Array.from({ length: capacity }, () => 0);
  }

  /** Number of occupied slots, including those that await `reclaim`. */
  get usedCount(): number {
    return this.#slots.size;
  }

  /** Checks that all identities fit, without changing anything. @throws CapacityError */
  refuseOverflow(identities: readonly string[]): void {
    const added = new Set(identities.filter((identity) => !this.#slots.has(identity))).size;
    const capacity = this.#owners.length;
    const free = capacity - this.#slots.size;
    if (added <= free) return;
    const wanted = new Set(identities);
    const waiting = [...this.#slots.keys()].filter((identity) => !wanted.has(identity)).length;
    const later = waiting === 0 ? '' : `; ${waiting} more become free when the requests to removed ones have finished`;
    const message = `${added} more ${this.#noun} exceed the capacity: ${free} of ${capacity} slots are free${later}`;
    throw new CapacityError(`${message}; restart Fairlead to raise it`);
  }

  /**
   * Assigns each identity its current slot, or the lowest free one. All or nothing.
   * @param revision of the Snapshot that is being compiled
   * @throws CapacityError
   */
  assign(identities: readonly string[], revision: number): SlotAssignment[] {
    this.refuseOverflow(identities);
    return identities.map((identity) => {
      const kept = this.#slots.get(identity);
      if (kept !== undefined) return this.#keep(kept, revision);
      while (this.#owners[this.#lowest] !== null) this.#lowest += 1;
      return this.#take(this.#lowest, identity, revision);
    });
  }

  #keep(slot: number, revision: number): SlotAssignment {
    this.#owners[slot]!.lastSeen = revision;
    return { slot, generation: this.#generations[slot]! };
  }

  #take(slot: number, identity: string, revision: number): SlotAssignment {
    this.#owners[slot] = { identity, lastSeen: revision };
    this.#slots.set(identity, slot);
    const generation = this.#generations[slot]! + 1;
    this.#generations[slot] = generation;
    return { slot, generation };
  }

  /** Counts the owners in the Snapshot of one revision as those of a later one: the same Snapshot is published again. */
  keep(revision: number, next: number): void {
    for (const slot of this.#slots.values()) {
      const owner = this.#owners[slot]!;
      if (owner.lastSeen >= revision) owner.lastSeen = next;
    }
  }

  /** Gives slots up: their owners have left the Snapshot that runs. Each stays occupied until `reclaim`. */
  release(identities: readonly string[]): void {
    for (const identity of identities) {
      const slot = this.#slots.get(identity);
      if (slot === undefined) continue;
      this.#owners[slot]!.lastSeen = RELEASED;
      this.#retired.add(slot);
    }
  }

  /**
   * The slots whose owners are in no Snapshot from `revision` on: once every worker has acknowledged that
   * revision, they may be reclaimed one by one as their in-flight sums reach zero.
   */
  retire(revision: number): readonly number[] {
    // Within one revision only a release retires a slot: those of a change are found without a look at all others.
    const candidates = revision === this.#retiredFrom ? this.#retired : this.#slots.values();
    const isRetired = (slot: number): boolean => (this.#owners[slot]?.lastSeen ?? revision) < revision;
    this.#retired = new Set([...candidates].filter(isRetired));
    this.#retiredFrom = revision;
    return [...this.#retired];
  }

  /**
   * Frees a slot for another owner.
   * @param revision the one that `retire` was called with
   * @returns false where the owner has come back since: then the slot stays with it
   */
  reclaim(slot: number, revision: number): boolean {
    const owner = this.#owners[slot];
    if (owner === undefined || owner === null || owner.lastSeen >= revision) return false;
    this.#owners[slot] = null;
    this.#lowest = Math.min(this.#lowest, slot);
    this.#slots.delete(owner.identity);
    return true;
  }

  /** Owner of a slot, for logs; null if it is free. */
  identityOf(slot: number): string | null {
    return this.#owners[slot]?.identity ?? null;
  }
}
