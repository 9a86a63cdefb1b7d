// Sets of field names to remove from a message. Sets are interned: encoders keep what they derive from a set by its
// identity, so equal removals must be the same object. Thread: both.

/** Sets that one root may intern; names may come from clients, so this is bounded. */
const MOST_INTERNED = 256;

interface Room {
  left: number;
}

export class RemovedNames {
  /** Lower case. */
  readonly names: ReadonlySet<string>;
  readonly #room: Room;
  readonly #children = new Map<string, RemovedNames>();

  private constructor(names: ReadonlySet<string>, room: Room) {
    this.names = names;
    this.#room = room;
  }

  /** A root. @param names in any letter case */
  static of(names: Iterable<string>): RemovedNames {
    return new RemovedNames(new Set(Array.from(names, (name) => name.toLowerCase())), { left: MOST_INTERNED });
  }

  /** This set and one more name: the same object each time. @param name lower case */
  with(name: string): RemovedNames {
    if (this.names.has(name)) return this;
    const known = this.#children.get(name);
    if (known !== undefined) return known;
    const made = new RemovedNames(new Set([...this.names, name]), this.#room);
    if (this.#room.left > 0) {
      this.#room.left--;
      this.#children.set(name, made);
    }
    return made;
  }
}
