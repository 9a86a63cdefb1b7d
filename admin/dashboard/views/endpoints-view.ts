// Upstreams and endpoints, with the controls above the table: search, state, grouping, order, columns. Runs in the browser.

import type { Live, Row, State } from '../types.ts';
import { COLUMN_IDS, type ColumnId, columnOf, FIXED_COLUMNS, type SortId } from '../data/columns.ts';
import { count } from '../data/format.ts';
import type { HourHistory } from '../data/hour-history.ts';
import type { Place } from '../data/place.ts';
import { fitsState, type StateFilter } from '../data/rows.ts';
import { STATES } from '../data/states.ts';
import { byId, make, setAttribute, setText } from '../parts/dom.ts';
import { EndpointTable } from './endpoint-table.ts';
import { UpstreamTable } from './upstream-table.ts';

export interface EndpointsParts {
  readonly place: () => Place;
  /** Changes a part of the place. */
  readonly go: (change: Partial<Place>) => void;
}

export class EndpointsView {
  readonly #parts: EndpointsParts;
  readonly #search = byId('search', HTMLInputElement);
  readonly #states = byId('state-filter', HTMLSelectElement);
  readonly #group = byId('group', HTMLInputElement);
  readonly #sort = byId('sort', HTMLSelectElement);
  readonly #all = byId('all-upstreams', HTMLButtonElement);
  readonly #boxes = new Map<ColumnId, HTMLInputElement>();
  readonly #table: EndpointTable;
  readonly #upstreams: UpstreamTable;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
    const { go } = parts;
    this.#table = new EndpointTable({ choose: (endpoint) => go({ endpoint }), sort: (column) => this.#sortBy(column) });
    this.#upstreams = new UpstreamTable((name) => {
      const { upstream } = parts.place().filter;
      this.#filter({ upstream: upstream === name ? '' : name });
    });
    this.#search.addEventListener('input', () => this.#filter({ text: this.#search.value }));
    this.#states.addEventListener('change', () => this.#filter({ state: this.#states.value as StateFilter }));
    this.#group.addEventListener('change', () => go({ isGrouped: this.#group.checked }));
    this.#sort.addEventListener('change', () => this.#sortBy(this.#sort.value as SortId));
    this.#all.addEventListener('click', () => this.#filter({ upstream: '' }));
    this.#offerColumns();
  }

  focusSearch(): void {
    this.#search.focus();
  }

  focusRow(key: string): void {
    this.#table.focus(key);
  }

  update(live: Live, rows: readonly Row[], hour: HourHistory): void {
    const place = this.#parts.place();
    this.#upstreams.update(live.upstreams, hour, place.filter.upstream);
    const shown = this.#table.update(rows, place, Date.parse(live.at));
    this.#showControls(place, rows, shown);
  }

  #filter(change: Partial<Place['filter']>): void {
    this.#parts.go({ filter: { ...this.#parts.place().filter, ...change } });
  }

  #sortBy(column: SortId): void {
    const { order } = this.#parts.place();
    const isSame = order.column === column;
    // Figures start with the highest, texts with the first.
    const isDescending = isSame ? !order.isDescending : columnOf(column).isText !== true;
    this.#parts.go({ order: { column, isDescending } });
  }

  #offerColumns(): void {
    const host = byId('columns', HTMLElement);
    for (const id of COLUMN_IDS) {
      const box = make('input', { type: 'checkbox' });
      this.#boxes.set(id, box);
      box.addEventListener('change', () => {
        const columns = COLUMN_IDS.filter((one) => this.#boxes.get(one)!.checked);
        this.#parts.go({ columns });
      });
      host.append(make('label', {}, box, ` ${columnOf(id).title}`));
    }
    const ids = [...Object.keys(FIXED_COLUMNS), ...COLUMN_IDS] as SortId[];
    this.#sort.append(...ids.map((id) => make('option', { value: id }, columnOf(id).title)));
  }

  #showControls({ filter, order, columns, isGrouped }: Place, rows: readonly Row[], shown: number): void {
    if (this.#search.value !== filter.text) this.#search.value = filter.text;
    this.#states.value = filter.state;
    this.#group.checked = isGrouped;
    this.#sort.value = order.column;
    for (const [id, box] of this.#boxes) box.checked = columns.includes(id);
    const all = rows.length;
    setText(byId('shown', HTMLElement), shown === all ? count(all) : `${count(shown)} of ${count(all)}`);
    this.#all.hidden = filter.upstream === '';
    setText(this.#all, `✕ only ${filter.upstream}`);
    setAttribute(this.#all, 'aria-label', `✕ only ${filter.upstream}: show all upstreams`);
    byId('none', HTMLElement).hidden = shown > 0;
    this.#showStateCounts(rows);
  }

  /** Number of rows for each choice of the filter. */
  #showStateCounts(rows: readonly Row[]): void {
    for (const option of this.#states.options) {
      const wanted = option.value as StateFilter;
      const number = rows.filter(({ availability }) => fitsState(availability, wanted)).length;
      const label = wanted === '' ? 'all' : wanted === 'problem' ? 'problems' : STATES[wanted satisfies State].label;
      setText(option, `${label} (${count(number)})`);
    }
  }
}
