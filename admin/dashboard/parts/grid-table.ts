// A table on a CSS grid: a row of headings and a body. Where it has too little width, its rows become cards whose figures
// carry their headings. Roles are explicit, since the elements aren't those of a table. Runs in the browser.

import { make, setAttribute } from './dom.ts';

export interface Heading {
  readonly id: string;
  /** Text, or text with colours. */
  readonly title: string | Node;
  /** Least width in rem; columns of text grow. */
  readonly width: number;
  readonly isText?: boolean | undefined;
}

export interface GridTableParts {
  readonly label: string;
  /** Called with the heading that was chosen; without it the table has no order. */
  readonly onSort?: (id: string) => void;
}

const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) tables.get(target)?.fit();
});
const tables = new Map<Element, GridTable>();

export class GridTable {
  readonly element: HTMLElement;
  readonly body = make('div', { class: 'rows', role: 'rowgroup' });
  readonly #head = make('div', { class: 'row', role: 'row' });
  readonly #parts: GridTableParts;
  #headings: readonly Heading[] = [];

  /** @param host an element without content, whose width counts */
  constructor(host: HTMLElement, parts: GridTableParts) {
    this.#parts = parts;
    this.element = host;
    host.classList.add('grid-table');
    setAttribute(host, 'role', 'table');
    setAttribute(host, 'aria-label', parts.label);
    host.append(make('div', { class: 'head', role: 'rowgroup' }, this.#head), this.body);
    tables.set(host, this);
    observer.observe(host);
  }

  setHeadings(headings: readonly Heading[]): void {
    this.#headings = headings;
    const tracks = headings.map(({ width, isText }) => (isText ? `minmax(${width}rem, ${width}fr)` : `${width}rem`));
    this.element.style.setProperty('--tracks', tracks.join(' '));
    this.#head.replaceChildren(...headings.map((heading) => this.#cellOf(heading)));
    this.fit();
  }

  showOrder(column: string, isDescending: boolean): void {
    for (const cell of this.#head.children) {
      const isThis = cell.getAttribute('data-heading') === column;
      if (isThis) setAttribute(cell, 'aria-sort', isDescending ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    }
  }

  /** Chooses between rows and cards. */
  fit(): void {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    // Cells have a gap of half a rem between them, and the row a border and padding.
    const needed = this.#headings.reduce((sum, { width }) => sum + width + 0.5, 1) * rem;
    const { clientWidth } = this.element;
    if (clientWidth > 0) this.element.classList.toggle('is-cards', clientWidth < needed);
  }

  #cellOf({ id, title, isText }: Heading): HTMLElement {
    const attributes = { role: 'columnheader', 'data-heading': id, class: isText ? '' : 'number' };
    const { onSort } = this.#parts;
    if (onSort === undefined) return make('div', attributes, title);
    const button = make('button', { type: 'button', 'data-column': id }, title);
    button.addEventListener('click', () => onSort(id));
    return make('div', attributes, button);
  }
}

/** A cell of a row, with the text of its heading for cards. */
export function cellOf(heading: Heading, ...content: (Node | string)[]): HTMLElement {
  const label = typeof heading.title === 'string' ? heading.title : (heading.title.textContent ?? '');
  return make('div', { role: 'cell', class: heading.isText ? '' : 'number', 'data-label': label }, ...content);
}
