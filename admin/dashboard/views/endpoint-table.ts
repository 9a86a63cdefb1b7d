// The table of endpoints: filtered, sorted and grouped. Arrow keys move within it, so that Tab leaves it in one step. Runs
// in the browser.

import type { Row } from '../types.ts';
import { type ColumnId, columnOf, FIXED_COLUMNS, type SortId } from '../data/columns.ts';
import { filterRows, groupRows, sortRows } from '../data/rows.ts';
import type { Place } from '../data/place.ts';
import { isProblem } from '../data/states.ts';
import { ChunkedRows } from '../parts/chunked-rows.ts';
import { byId, setAttribute } from '../parts/dom.ts';
import { GridTable } from '../parts/grid-table.ts';
import { EndpointRow, GroupRow, type RowContext, type TableItem } from './endpoint-row.ts';

export interface EndpointTableParts {
  readonly choose: (key: string) => void;
  readonly sort: (column: SortId) => void;
}

export class EndpointTable {
  readonly #table: GridTable;
  readonly #rows: ChunkedRows<TableItem>;
  readonly #choose: EndpointTableParts['choose'];
  #context: RowContext = { columns: [], nowMs: 0, chosen: '' };
  #headings: readonly ColumnId[] = [];
  #items: readonly TableItem[] = [];
  /** Groups that the user opened or closed; the others are open if they have problems. */
  readonly #toggled = new Map<string, boolean>();
  #redraw: () => void = () => undefined;

  constructor({ choose, sort }: EndpointTableParts) {
    this.#choose = choose;
    const label = 'Endpoints. Arrow keys move between rows, Enter opens the details.';
    this.#table = new GridTable(byId('endpoints', HTMLElement), { label, onSort: (id) => sort(id as SortId) });
    const { body } = this.#table;
    this.#rows = new ChunkedRows({ body, keyOf, create: (item) => this.#create(item) });
    body.addEventListener('keydown', (event) => this.#move(event));
    body.addEventListener('focusin', ({ target }) => this.#makeReachable(target));
  }

  /** Updates the rows and returns the number that fits the filter. */
  update(rows: readonly Row[], place: Place, nowMs: number): number {
    const { filter, order, columns, isGrouped, endpoint } = place;
    this.#redraw = () => void this.update(rows, place, nowMs);
    if (columns !== this.#headings) this.#setColumns(columns);
    this.#table.showOrder(order.column, order.isDescending);
    this.#context = { columns, nowMs, chosen: endpoint };
    const visible = sortRows(filterRows(rows, filter), order);
    this.#items = isGrouped ? this.#grouped(visible) : visible.map((row): TableItem => ({ kind: 'endpoint', row }));
    this.#rows.update(this.#items);
    this.#keepReachable();
    return visible.length;
  }

  /** Focuses a row if it exists. */
  focus(key: string): void {
    const at = this.#items.findIndex((item) => keyOf(item) === key);
    if (at !== -1) this.#focusAt(at);
  }

  #grouped(rows: readonly Row[]): TableItem[] {
    return groupRows(rows).flatMap((group): TableItem[] => {
      const isOpen = this.#toggled.get(group.upstream) ?? group.rows.some((row) => isProblem(row.availability));
      const own = isOpen ? group.rows.map((row): TableItem => ({ kind: 'endpoint', row })) : [];
      return [{ kind: 'group', group, isOpen }, ...own];
    });
  }

  #setColumns(columns: readonly ColumnId[]): void {
    this.#headings = columns;
    const fixed = Object.entries(FIXED_COLUMNS).map(([id, column]) => ({ id, ...column }));
    this.#table.setHeadings([...fixed, ...columns.map((id) => ({ id, ...columnOf(id) }))]);
  }

  #create(item: TableItem): EndpointRow | GroupRow {
    if (item.kind === 'endpoint') {
      return new EndpointRow(
        item.row,
        () => this.#context,
        () => this.#choose(item.row.key),
      );
    }
    const { upstream } = item.group;
    return new GroupRow(() => {
      const now = this.#items.find((one) => one.kind === 'group' && one.group.upstream === upstream);
      this.#toggled.set(upstream, now?.kind === 'group' && !now.isOpen);
      this.#redraw();
    });
  }

  #buttons(): HTMLButtonElement[] {
    return [...this.#rows.shown.values()].map((view) => (view as EndpointRow | GroupRow).button);
  }

  /** Keeps exactly one row in the tab order. */
  #makeReachable(target: EventTarget | null): void {
    for (const button of this.#buttons()) setAttribute(button, 'tabindex', button === target ? '0' : '-1');
  }

  #keepReachable(): void {
    if (this.#buttons().some(({ tabIndex }) => tabIndex === 0)) return;
    const first = this.#items[0];
    const view = first === undefined ? undefined : this.#rows.shown.get(keyOf(first));
    this.#makeReachable((view as EndpointRow | GroupRow | undefined)?.button ?? null);
  }

  #move(event: KeyboardEvent): void {
    const row = event.target instanceof Element ? event.target.closest('.row') : null;
    const shown = [...this.#rows.shown].find(([, { element }]) => element === row);
    const at = this.#items.findIndex((item) => keyOf(item) === shown?.[0]);
    const last = this.#items.length - 1;
    const places = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: last };
    const place = places[event.key as keyof typeof places];
    if (at === -1 || place === undefined) return;
    event.preventDefault();
    this.#focusAt(Math.min(last, Math.max(0, place)));
  }

  #focusAt(position: number): void {
    const view = this.#rows.reveal(position) as EndpointRow | GroupRow | undefined;
    view?.button.focus();
  }
}

function keyOf(item: TableItem): string {
  return item.kind === 'endpoint' ? item.row.key : `group ${item.group.upstream}`;
}
