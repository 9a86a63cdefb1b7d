// One row of the table of endpoints, or the heading of a group; an update changes only the cells that differ. Runs in the
// browser.

import type { Row } from '../types.ts';
import { type ColumnId, columnOf } from '../data/columns.ts';
import type { Group } from '../data/rows.ts';
import { isFailing, isProblem, STATES, tallyText } from '../data/states.ts';
import { make, setAttribute, setText } from '../parts/dom.ts';
import type { RowView } from '../parts/chunked-rows.ts';
import { StateBadge } from '../parts/state-badge.ts';

/** Data of a row besides its endpoint. */
export interface RowContext {
  readonly columns: readonly ColumnId[];
  /** Wall-clock ms of the server. */
  readonly nowMs: number;
  /** Key of the endpoint whose details are open. */
  readonly chosen: string;
}

export class EndpointRow implements RowView<TableItem> {
  readonly element = make('div', { class: 'row', role: 'row' });
  readonly button = make('button', { type: 'button', class: 'link', tabindex: '-1' });
  readonly #context: () => RowContext;
  readonly #badge = new StateBadge();
  readonly #name = make('div', { role: 'rowheader', class: 'name' });
  readonly #cause = make('div', { class: 'note cause', role: 'cell' });
  #columns: readonly ColumnId[] = [];
  #cells: HTMLElement[] = [];

  constructor({ key, name, upstream, backup }: Row, context: () => RowContext, choose: () => void) {
    this.#context = context;
    this.button.append(make('span', { class: 'minor' }, `${upstream}/`), ...breakable(name));
    this.button.addEventListener('click', choose);
    this.element.dataset['key'] = key;
    this.#name.append(this.button);
    if (backup) this.#name.append(make('span', { class: 'mark' }, 'backup'));
  }

  update(item: TableItem): void {
    if (item.kind !== 'endpoint') return;
    const { row } = item;
    const { columns, nowMs, chosen } = this.#context();
    if (columns !== this.#columns) this.#arrange(columns);
    const { availability, errorShare, cause } = row;
    this.#badge.update(availability);
    setAttribute(this.element, 'data-tone', STATES[availability].tone);
    setAttribute(this.element, 'data-state', availability);
    setAttribute(this.button, 'aria-pressed', String(row.key === chosen));
    for (const [index, id] of columns.entries()) {
      const cell = this.#cells[index]!;
      setText(cell, columnOf(id).text(row, nowMs));
      if (id === 'errors') setAttribute(cell, 'data-tone', isFailing(errorShare) ? 'bad' : '');
    }
    this.#cause.hidden = availability === 'up';
    setText(this.#cause, cause);
  }

  #arrange(columns: readonly ColumnId[]): void {
    this.#columns = columns;
    this.#cells = columns.map((id) => {
      const { title, isText } = columnOf(id);
      return make('div', { role: 'cell', class: isText ? '' : 'number', 'data-label': title });
    });
    const badge = make('div', { role: 'cell' }, this.#badge.element);
    this.element.replaceChildren(badge, this.#name, ...this.#cells, this.#cause);
  }
}

/** Permits line breaks after dots and dashes, and keeps the port whole at the end. */
function breakable(name: string): (Node | string)[] {
  const [, host = name, port = ''] = /^(.*)(:\d+)$/.exec(name) ?? [];
  const parts = host.split(/(?<=[.-])/).flatMap((part) => [part, document.createElement('wbr')]);
  return [...parts.slice(0, -1), make('span', { class: 'port' }, port)];
}

export class GroupRow implements RowView<TableItem> {
  readonly element = make('div', { class: 'row group', role: 'row' });
  readonly button = make('button', { type: 'button', class: 'link', tabindex: '-1' });
  readonly #tally = make('span', { class: 'minor' });

  constructor(toggle: () => void) {
    this.button.addEventListener('click', toggle);
    this.element.append(make('div', { role: 'rowheader', class: 'note' }, this.button, this.#tally));
  }

  update(item: TableItem): void {
    if (item.kind !== 'group') return;
    const { group, isOpen } = item;
    setText(this.button, `${isOpen ? '▾' : '▸'} ${group.upstream}`);
    setAttribute(this.button, 'aria-expanded', String(isOpen));
    setText(this.#tally, ` ${tallyText(group.rows)}`);
    setAttribute(this.element, 'data-tone', group.rows.some((row) => isProblem(row.availability)) ? 'bad' : '');
  }
}

/** A row of the table. */
export type TableItem =
  | { readonly kind: 'endpoint'; readonly row: Row }
  | { readonly kind: 'group'; readonly group: Group; readonly isOpen: boolean };
