// The routes of one host pattern by path. Prefixes are nested: the longest one that a path has knows the shorter ones, so
// that the cost of a lookup doesn't depend on the number of routes. Pure. Thread: both.

import type { ValueMatch } from '../../core/snapshot/route.ts';

/** Positions of routes in the file, ascending. */
export type Positions = number[];

/** Routes with a prefix, and those with the longest prefix of this prefix. */
export interface PrefixNode {
  readonly positions: Positions;
  outer: PrefixNode | null;
}

type PrefixNodes = Map<string, PrefixNode>;

export class PathTable {
  /** Routes without a condition on the path. */
  readonly any: Positions = [];
  /** Routes with a regular expression for the path, which are compared one by one. */
  readonly regexes: Positions = [];
  #exact: Map<string, Positions> | null = null;
  /** Prefixes such as `/v1`, and `/v1/`, which matches only paths below it. */
  #segments: PrefixNodes | null = null;
  #folders: PrefixNodes | null = null;
  /** Bounds the lookups for a long path of an attacker. */
  #longestSegments = 0;
  #longestFolder = 0;

  /** Adds a route; `nest` follows once all are added. */
  add(paths: readonly ValueMatch[], position: number): void {
    if (paths.length === 0) addOnce(this.any, position);
    for (const path of paths) {
      if (path.kind === 'present') addOnce(this.any, position);
      else if (path.kind === 'regex') addOnce(this.regexes, position);
      else if (path.kind === 'exact') addOnce(entryOf((this.#exact ??= new Map()), path.value, newPositions), position);
      else addOnce(this.#prefixNode(path.value).positions, position);
    }
  }

  /** Links each prefix with the next shorter one. */
  nest(): void {
    for (const nodes of [this.#segments, this.#folders]) {
      for (const [prefix, node] of nodes ?? []) node.outer = this.#longestWithin(prefix, prefix.length - 1);
    }
  }

  /** Routes with exactly this path; undefined where there are none. */
  exactly(path: string): Positions | undefined {
    return this.#exact === null ? undefined : this.#exact.get(path);
  }

  /** The longest prefix of a path that a route has, by whole segments. */
  longestPrefix(path: string): PrefixNode | null {
    return this.#segments === null && this.#folders === null ? null : this.#longestWithin(path, path.length);
  }

  #prefixNode(prefix: string): PrefixNode {
    if (prefix.endsWith('/')) {
      this.#longestFolder = Math.max(this.#longestFolder, prefix.length);
      return entryOf((this.#folders ??= new Map()), prefix, newNode);
    }
    this.#longestSegments = Math.max(this.#longestSegments, prefix.length);
    return entryOf((this.#segments ??= new Map()), prefix, newNode);
  }

  /** As longestPrefix, with at most `most` characters. */
  #longestWithin(path: string, most: number): PrefixNode | null {
    const segments = this.#segments;
    const folders = this.#folders;
    if (segments !== null && path.length <= most && path.length <= this.#longestSegments) {
      const node = segments.get(path);
      if (node !== undefined) return node;
    }
    let slash = path.lastIndexOf('/', Math.min(most, Math.max(this.#longestSegments, this.#longestFolder - 1)));
    while (slash >= 0) {
      if (folders !== null && slash < most && slash < this.#longestFolder) {
        const node = folders.get(path.slice(0, slash + 1));
        if (node !== undefined) return node;
      }
      if (segments !== null && slash <= this.#longestSegments) {
        const node = segments.get(path.slice(0, slash));
        if (node !== undefined) return node;
      }
      if (slash === 0) return null;
      slash = path.lastIndexOf('/', slash - 1);
    }
    return null;
  }
}

function addOnce(list: Positions, position: number): void {
  if (list.at(-1) !== position) list.push(position);
}

function entryOf<Value>(entries: Map<string, Value>, key: string, create: () => Value): Value {
  let entry = entries.get(key);
  if (entry === undefined) entries.set(key, (entry = create()));
  return entry;
}

const newPositions = (): Positions => [];
const newNode = (): PrefixNode => ({ positions: [], outer: null });
