// The values of a configuration with the place where each is written. Thread: main.

import { formatPath, type KeyPath, type Span } from '../problems/problem.ts';
import type { Container, EntryPlace, Places } from './places.ts';
import type { SourceText, TextRange } from './source-text.ts';

/** Where a key or value is written. */
export interface SourcePlace {
  readonly source: SourceText;
  readonly span: Span;
  /** Path in its file. */
  readonly path: KeyPath;
}

export interface TreeParts {
  readonly main: SourceText;
  readonly places: Places;
  readonly hasVariables: boolean;
}

/** The values of one file, or of several whose values were merged, and their places. */
export class SourceTree {
  readonly root: unknown;
  readonly places: Places;
  /** Whether any unquoted value contains an environment variable. */
  readonly hasVariables: boolean;

  /** The file that was loaded, for problems without an entry. */
  readonly #main: SourceText;

  constructor(root: unknown, { main, places, hasVariables }: TreeParts) {
    this.root = root;
    this.places = places;
    this.hasVariables = hasVariables;
    this.#main = main;
  }

  /** The same files with other values. */
  withRoot(root: unknown, hasVariables: boolean = this.hasVariables): SourceTree {
    return new SourceTree(root, { main: this.#main, places: this.places, hasVariables });
  }

  /** Whether a value comes from the environment unquoted, so that it may represent a number or boolean. */
  isVariable(container: object, key: string | number): boolean {
    return this.places.isVariable(container, key);
  }

  /** The value at `path`, or undefined. */
  valueAt(path: KeyPath): unknown {
    let value = this.root;
    for (const step of path) value = childOf(value, step);
    return value;
  }

  /** The source text of the value at `path`; '' if it is an alias or missing. */
  writtenAt(path: KeyPath): string {
    const entry = this.#entryAt(path);
    const text = entry === undefined ? '' : entry.source.text.slice(...entry.value);
    return text.startsWith('*') ? '' : text;
  }

  #entryAt(path: KeyPath): EntryPlace | undefined {
    const container = this.valueAt(path.slice(0, -1));
    return isContainer(container) ? this.places.of(container, path.at(-1) ?? '') : undefined;
  }

  /**
   * The place of the key or value at `path`; if missing, that of the nearest enclosing entry.
   * @param mark a text in the value: its first occurrence there is the place
   */
  placeOf(path: KeyPath, part: 'key' | 'value', mark = ''): SourcePlace {
    let value = this.root;
    let found: { readonly source: SourceText; readonly range: TextRange } = this.#beginning();
    let written: KeyPath = [];
    for (const [depth, step] of path.entries()) {
      const entry = isContainer(value) ? this.places.of(value, step) : undefined;
      written = entry?.at ?? [...written, step];
      if (entry === undefined) {
        value = null;
        continue;
      }
      const isLast = depth === path.length - 1;
      const isValue = isLast && part === 'value' && entry.value[1] > entry.value[0];
      found = { source: entry.source, range: isValue ? entry.value : entry.key };
      value = childOf(value, step);
    }
    const { source, range } = found;
    const at = mark === '' ? -1 : source.text.slice(...range).indexOf(mark);
    const begin = range[0] + at;
    return { source, span: source.spanOf(at < 0 ? range : [begin, begin + mark.length]), path: written };
  }

  /** Names an entry in a message about another one: `routes[0]`, with its file if that differs from the file of `from`. */
  nameOf(path: KeyPath, from: KeyPath): string {
    const place = this.placeOf(path, 'key');
    const isSame = place.source === this.placeOf(from, 'key').source;
    return `${formatPath(place.path)}${isSame ? '' : ` in ${place.source.file}:${place.span.line}`}`;
  }

  /** Place of the configuration as a whole: its first key rather than a leading comment. */
  #beginning(): { readonly source: SourceText; readonly range: TextRange } {
    const entries = isContainer(this.root) ? this.places.entriesOf(this.root) : undefined;
    const first = entries?.values().next().value;
    return first === undefined ? { source: this.#main, range: [0, 1] } : { source: first.source, range: first.key };
  }
}

export function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function childOf(value: unknown, step: string | number): unknown {
  return isContainer(value) && Object.hasOwn(value, step)
    ? (value as Record<string | number, unknown>)[step]
    : undefined;
}
