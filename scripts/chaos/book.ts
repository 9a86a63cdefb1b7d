// Results so far, optionally kept in a file, so that a long programme can be measured in several runs of the command.
// Thread: main.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type Figures, isClientLate } from './figures.ts';
import type { Part, Task } from './programme.ts';
import type { ByCase } from './scenarios/aim.ts';

/** A run whose client was late is repeated; after this many tries it is kept and not judged. */
const MOST_TRIES = 3;

interface Entry {
  readonly title: string;
  readonly seed: number;
  readonly proxy: string;
  readonly version: string;
  readonly case: string;
  readonly date: string;
  readonly tries: number;
  readonly figures: Figures;
}

export class Book {
  readonly #file: string | null;
  readonly #entries: Entry[];

  private constructor(file: string | null, entries: Entry[]) {
    this.#file = file;
    this.#entries = entries;
  }

  /** Reads the file if it exists. @throws Error when it holds something else */
  static open(file: string | null): Book {
    if (file === null || !existsSync(file)) return new Book(file, []);
    const { entries } = JSON.parse(readFileSync(file, 'utf8')) as { entries?: Entry[] };
    if (!Array.isArray(entries)) throw new Error(`${file} holds no results of a chaos run`);
    return new Book(file, entries);
  }

  isDone(task: Task): boolean {
    const entry = this.#entries.find((one) => isOf(one, task));
    return entry !== undefined && (!isClientLate(entry.figures) || entry.tries >= MOST_TRIES);
  }

  /** Replaces earlier results of the same run. */
  add(task: Task, version: string, figures: Figures): void {
    const at = this.#entries.findIndex((one) => isOf(one, task));
    const { part, proxy } = task;
    const tries = 1 + (this.#entries[at]?.tries ?? 0);
    const date = new Date().toISOString();
    const seed = part.settings.seed;
    const entry = { title: part.title, seed, proxy: proxy.name, version, case: task.case.name, date, tries, figures };
    this.#entries.splice(at === -1 ? this.#entries.length : at, 1, entry);
    this.#save();
  }

  /** Figures of a part, by proxy name and case. */
  resultsOf({ title, settings }: Part): ReadonlyMap<string, ByCase> {
    const ofPart = this.#entries.filter((entry) => entry.title === title && entry.seed === settings.seed);
    const byProxy = Map.groupBy(ofPart, ({ proxy }) => proxy);
    return new Map(
      [...byProxy].map(([proxy, entries]) => [proxy, new Map(entries.map((entry) => [entry.case, entry.figures]))]),
    );
  }

  /** All figures of a proxy. */
  versionsOf(proxy: string): readonly string[] {
    return [...new Set(this.#entries.filter((entry) => entry.proxy === proxy).map(({ version }) => version))];
  }

  #save(): void {
    if (this.#file === null) return;
    // Write to a temporary file and rename it, so that a crash never leaves half a file.
    writeFileSync(`${this.#file}.new`, `${JSON.stringify({ entries: this.#entries }, null, 1)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function isOf(entry: Entry, { part, proxy, case: { name } }: Task): boolean {
  const { title, settings } = part;
  return entry.title === title && entry.seed === settings.seed && entry.proxy === proxy.name && entry.case === name;
}
