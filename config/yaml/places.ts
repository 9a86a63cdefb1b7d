// Source places of the entries of values: which file, and where in it. A value that is copied between trees keeps its
// place, so that problems are reported where the value is written. Thread: main.

import type { KeyPath } from '../problems/problem.ts';
import type { SourceText, TextRange } from './source-text.ts';

export interface EntryPlace {
  readonly source: SourceText;
  readonly key: TextRange;
  readonly value: TextRange;
  /** Path in its file, where it isn't that of the tree: entries of groups, of defaults and of included files. */
  readonly at?: KeyPath;
}

/** The places of all entries of a container, as its reader has them. */
export interface PackedPlaces {
  readonly source: SourceText;
  /** In the order of the ranges; null for a list. */
  readonly keys: readonly string[] | null;
  /** Begin and end of the key, begin and end of the value, for each entry. */
  readonly ranges: readonly number[];
}

export type Container = Record<string, unknown> | unknown[];

/** The places of all entries of the files of one configuration. */
export class Places {
  readonly #entries = new WeakMap<object, Map<string | number, EntryPlace>>();
  /** Containers without a request for their places: most of them, where a configuration is valid. */
  readonly #packed = new Map<object, PackedPlaces>();
  readonly #variables = new WeakMap<object, Set<string | number>>();

  entriesOf(container: object): ReadonlyMap<string | number, EntryPlace> | undefined {
    return this.#known(container);
  }

  of(container: object, key: string | number): EntryPlace | undefined {
    return this.#known(container)?.get(key);
  }

  /** Sets the places of all entries of a new container. */
  define(container: object, places: PackedPlaces): void {
    this.#packed.set(container, places);
  }

  #known(container: object): Map<string | number, EntryPlace> | undefined {
    const packed = this.#packed.get(container);
    if (packed !== undefined) {
      this.#packed.delete(container);
      this.#entries.set(container, unpacked(packed));
    }
    return this.#entries.get(container);
  }

  set(container: object, key: string | number, place: EntryPlace): void {
    const known = this.#known(container);
    if (known === undefined) this.#entries.set(container, new Map([[key, place]]));
    else known.set(key, place);
  }

  /** Whether a value comes from the environment unquoted, so that it may represent a number or boolean. */
  isVariable(container: object, key: string | number): boolean {
    return this.#variables.get(container)?.has(key) === true;
  }

  markVariable(container: object, key: string | number): void {
    const keys = this.#variables.get(container) ?? new Set();
    this.#variables.set(container, keys.add(key));
  }

  /** Copies an entry with its place. @param changes to the place */
  copy(from: Entry, to: Entry, changes: Pick<EntryPlace, 'at'> = {}): void {
    (to.container as Record<string | number, unknown>)[to.key] = (from.container as Record<string | number, unknown>)[
      from.key
    ];
    const place = this.of(from.container, from.key);
    if (place !== undefined) this.set(to.container, to.key, { ...place, ...changes });
    if (this.isVariable(from.container, from.key)) this.markVariable(to.container, to.key);
  }
}

/** An entry of a mapping or list. */
export interface Entry {
  readonly container: Container;
  readonly key: string | number;
}

function unpacked({ source, keys, ranges }: PackedPlaces): Map<string | number, EntryPlace> {
  const entries = new Map<string | number, EntryPlace>();
  for (let index = 0; index * 4 < ranges.length; index++) {
    const [keyBegin, keyEnd, begin, end] = ranges.slice(index * 4, index * 4 + 4) as [number, number, number, number];
    entries.set(keys === null ? index : keys[index]!, { source, key: [keyBegin, keyEnd], value: [begin, end] });
  }
  return entries;
}
