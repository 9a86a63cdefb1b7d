// A table of texts on a grid, some with a second line; an update changes only the cells that differ. Runs in the browser.

import { make, setAttribute, setText } from './dom.ts';
import { cellOf, GridTable, type Heading } from './grid-table.ts';
import { StateBadge } from './state-badge.ts';
import type { Tone } from '../types.ts';

export interface Label {
  readonly sign: string;
  readonly label: string;
  readonly tone: Tone;
}

export interface TextRow {
  /** In the order of the headings; a label becomes a badge. */
  readonly cells: readonly (string | Label)[];
  /** Second line over the whole width; '' for none. */
  readonly note?: string;
}

export class TextTable {
  readonly #table: GridTable;
  readonly #headings: readonly Heading[];
  readonly #empty: HTMLElement;

  /** @param empty the text in place of an empty table */
  constructor(host: HTMLElement, label: string, headings: readonly Heading[], empty: string) {
    this.#headings = headings;
    this.#empty = make('p', { class: 'minor' }, empty);
    this.#table = new GridTable(host, { label });
    this.#table.setHeadings(headings);
    host.after(this.#empty);
  }

  update(rows: readonly TextRow[]): void {
    const { body, element } = this.#table;
    element.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    while (body.childElementCount > rows.length) body.lastElementChild?.remove();
    for (const [index, row] of rows.entries())
      this.#fill(body.children[index] ?? body.appendChild(this.#makeRow()), row);
  }

  #makeRow(): HTMLElement {
    const cells = this.#headings.map((heading, index) => {
      const cell = cellOf(heading);
      if (index === 0) setAttribute(cell, 'role', 'rowheader');
      return cell;
    });
    return make('div', { class: 'row', role: 'row' }, ...cells, make('div', { class: 'note', role: 'cell' }));
  }

  #fill(element: Element, { cells, note = '' }: TextRow): void {
    for (const [index, content] of cells.entries()) fillCell(element.children[index]!, content);
    const line = element.lastElementChild as HTMLElement;
    line.hidden = note === '';
    setText(line, note);
  }
}

function fillCell(cell: Element, content: string | Label): void {
  if (typeof content === 'string') {
    setText(cell, content);
    return;
  }
  const { sign, label, tone } = content;
  const key = `${sign} ${label}`;
  if (cell.getAttribute('data-badge') === key) return;
  setAttribute(cell, 'data-badge', key);
  const badge = new StateBadge();
  badge.show(sign, label, tone);
  cell.replaceChildren(badge.element);
}
