// Configuration: revisions since the start, and the difference between two of them. Runs in the browser.

import type { Live, Revision, Revisions } from '../types.ts';
import { ApiError, readRevision, readRevisions } from '../data/api.ts';
import { age, clock, count, plural } from '../data/format.ts';
import { type DiffLine, diffLines, diffParts } from '../data/line-diff.ts';
import { byId, make, setText } from '../parts/dom.ts';
import { TextTable } from '../parts/text-table.ts';

const HEADINGS = [
  { id: 'revision', title: 'revision', width: 9, isText: true },
  { id: 'at', title: 'in use since', width: 10, isText: true },
  { id: 'workers', title: 'workers', width: 6 },
  { id: 'requests', title: 'open requests', width: 9 },
];

const SIGNS = { '+': 'added', '-': 'removed', ' ': '' } as const;

export class RevisionsView {
  readonly #table = new TextTable(
    byId('revisions', HTMLElement),
    'Revisions',
    HEADINGS,
    'No revision is recorded yet.',
  );
  readonly #from = byId('diff-from', HTMLSelectElement);
  readonly #to = byId('diff-to', HTMLSelectElement);
  readonly #diff = byId('diff', HTMLElement);
  readonly #title = byId('diff-title', HTMLElement);
  #revisions: Revisions = [];
  #texts = new Map<number, Revision>();

  constructor() {
    for (const select of [this.#from, this.#to]) {
      select.addEventListener('change', () => void this.#unlessRefused(() => this.#compare()));
    }
  }

  /** Fetches the revisions: when the view is opened and after a reload. */
  async load(): Promise<void> {
    await this.#unlessRefused(async () => {
      this.#revisions = await readRevisions();
      this.#texts = new Map();
      this.#offer();
      await this.#compare();
    });
  }

  async #unlessRefused(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.#title, error.message);
    }
  }

  update({ generations, at }: Live): void {
    const nowMs = Date.parse(at);
    const known = new Set(this.#revisions.map(({ generation }) => generation));
    const running = new Map(generations.map((one) => [one.generation, one]));
    const older = generations.filter(({ generation }) => !known.has(generation));
    const rows = [...this.#revisions, ...older.map((one) => ({ ...one, changes: [] }))].map((revision) => {
      const now = running.get(revision.generation);
      const state = now === undefined ? '' : now.isCurrent ? ' (in use)' : ' (finishes requests)';
      const since = `${clock(revision.at)}, ${age(revision.at, nowMs)} ago`;
      const figures = [count(now?.workers ?? 0), count(now?.exchanges ?? (now === undefined ? 0 : null))];
      return { cells: [`${revision.generation}${state}`, since, ...figures], note: revision.changes.join('; ') };
    });
    this.#table.update(rows);
  }

  #offer(): void {
    const numbers = this.#revisions.filter(({ hasText }) => hasText).map(({ generation }) => generation);
    for (const [select, index] of [
      [this.#to, 0],
      [this.#from, Math.min(1, numbers.length - 1)],
    ] as const) {
      select.replaceChildren(...numbers.map((one) => make('option', { value: String(one) }, `revision ${one}`)));
      select.selectedIndex = index;
    }
  }

  async #compare(): Promise<void> {
    const [from, to] = [Number(this.#from.value), Number(this.#to.value)];
    if (this.#to.value === '') {
      setText(this.#title, 'No text of a revision is kept yet.');
      this.#diff.replaceChildren();
      return;
    }
    const [before, after] = [await this.#textOf(from), await this.#textOf(to)];
    // Other revisions may have been chosen in the meantime.
    if (from !== Number(this.#from.value) || to !== Number(this.#to.value)) return;
    const lines = from === to ? diffLines(after, after) : diffLines(before, after);
    const changed = lines.filter(({ sign }) => sign !== ' ').length;
    const isSame = changed === 0;
    setText(this.#title, from === to ? `Text of revision ${to}` : plural(changed, 'changed line'));
    const parts = isSame ? [{ lines }] : diffParts(lines);
    this.#diff.replaceChildren(
      ...parts.flatMap((part) =>
        'skipped' in part
          ? [make('div', { class: 'minor' }, `… ${plural(part.skipped, 'equal line')}`)]
          : part.lines.map(lineOf),
      ),
    );
  }

  async #textOf(generation: number): Promise<string> {
    const known = this.#texts.get(generation) ?? (await readRevision(generation));
    this.#texts.set(generation, known);
    return known.text ?? '';
  }
}

function lineOf({ sign, text }: DiffLine): HTMLElement {
  const label = SIGNS[sign];
  const hidden = label === '' ? [] : [make('span', { class: 'unseen' }, `${label}: `)];
  return make('div', { 'data-sign': sign }, ...hidden, make('span', { 'aria-hidden': 'true' }, `${sign} `), text);
}
