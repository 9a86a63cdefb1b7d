// Merges the values of included files into those of the file that includes them. Thread: main.
//
// Lists (routes, listeners, plugins) are concatenated, in the order in which `include` and the list are written. Mappings
// of names (upstreams, defaults) are united. Any other setting belongs in one file.

import type { Finding } from '../problems/problem.ts';
import { quoted } from '../values/parsed.ts';
import type { EntryPlace, Places } from '../yaml/places.ts';
import { isContainer, type SourceTree } from '../yaml/source-tree.ts';
import type { SourceFile } from './source-files.ts';

type Mapping = Record<string, unknown>;

/** Keys whose entries are named by the operator, or by the kind of thing that they are for. */
const UNITED: ReadonlySet<string> = new Set(['upstreams', 'defaults']);
const CONCATENATED: ReadonlySet<string> = new Set(['listeners', 'routes', 'plugins']);

/** Receives a finding about the key of a place. */
type ReportAt = (place: EntryPlace, finding: Finding) => void;

/**
 * The values of a file with those of the files that it includes, and those of providers; the file's own tree without any.
 */
export function mergeFiles(file: SourceFile, report: ReportAt): SourceTree {
  const { tree, provided = [] } = file;
  if (!isMapping(tree.root) || (!Object.hasOwn(tree.root, 'include') && provided.length === 0)) return tree;
  const root = Object.create(null) as Mapping;
  const merge = new Merge(root, tree.places, report);
  merge.addFile(file);
  for (const part of provided) merge.addFile(part);
  return tree.withRoot(root, hasVariablesIn(file));
}

function hasVariablesIn({ tree, includes }: SourceFile): boolean {
  return tree.hasVariables || includes.some(hasVariablesIn);
}

class Merge {
  readonly #root: Mapping;
  readonly #places: Places;
  readonly #report: ReportAt;

  constructor(root: Mapping, places: Places, report: ReportAt) {
    this.#root = root;
    this.#places = places;
    this.#report = report;
  }

  addFile({ tree, includes }: SourceFile): void {
    const values = tree.root;
    if (!isMapping(values)) return;
    for (const key of Object.keys(values)) {
      if (key === 'include') for (const included of includes) this.addFile(included);
      else this.#addKey(values, key);
    }
  }

  #addKey(from: Mapping, key: string): void {
    const value = from[key];
    if (!Object.hasOwn(this.#root, key) && isContainer(value) && (CONCATENATED.has(key) || UNITED.has(key))) {
      this.#places.copy({ container: from, key }, { container: this.#root, key });
      this.#root[key] = Array.isArray(value) ? [] : (Object.create(null) as Mapping);
    }
    const into = this.#root[key];
    if (CONCATENATED.has(key) && Array.isArray(value) && Array.isArray(into)) this.#append(value, into, key);
    else if (UNITED.has(key) && isMapping(value) && isMapping(into)) this.#unite(value, into, key);
    else
      this.#addEntry({ from, into: this.#root, path: [key] }, (first) => `${quoted(key)} is already set in ${first}`);
  }

  #append(values: readonly unknown[], into: unknown[], key: string): void {
    for (const index of values.keys()) {
      const at = [key, index];
      this.#places.copy({ container: values as unknown[], key: index }, { container: into, key: into.length }, { at });
    }
  }

  #unite(values: Mapping, into: Mapping, key: string): void {
    const noun = key === 'upstreams' ? 'upstream ' : `${key}.`;
    for (const name of Object.keys(values)) {
      const shown = key === 'upstreams' ? `${noun}${quoted(name)}` : quoted(noun + name);
      this.#addEntry({ from: values, into, path: [key, name] }, (first) => `${shown} is already defined in ${first}`);
    }
  }

  #addEntry({ from, into, path }: NewEntry, taken: (first: string) => string): void {
    const key = path.at(-1)!;
    if (!Object.hasOwn(into, key)) {
      this.#places.copy({ container: from, key }, { container: into, key });
      return;
    }
    const earlier = this.#places.of(into, key);
    const place = this.#places.of(from, key);
    if (earlier === undefined || place === undefined) return;
    const first = `${earlier.source.file}:${earlier.source.spanOf(earlier.key).line}`;
    this.#report(place, { code: 'FL3003', message: `${taken(first)}: keep one of them`, path });
  }
}

interface NewEntry {
  readonly from: Mapping;
  readonly into: Mapping;
  readonly path: readonly string[];
}

function isMapping(value: unknown): value is Mapping {
  return isContainer(value) && !Array.isArray(value);
}
