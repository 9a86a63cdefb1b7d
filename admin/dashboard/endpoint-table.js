// The table of endpoints: filtered and sorted, with hundreds of rows and few changed cells per update. Arrow keys move
// within it, so that Tab leaves it in one step. Runs in the browser.

/** @import { Filter, Order, Column } from './model.js' */
/** @import { Row } from './types.d.ts' */

import { setAttribute, setChildren } from './dom.js';
import { EndpointRow } from './endpoint-row.js';
import { filterRows, sortRows } from './model.js';

export class EndpointTable {
  #body;
  #choose;
  /** @type {Map<string, EndpointRow>} */
  #rows = new Map();
  /** @type {readonly EndpointRow[]} as they stand on the page */
  #shown = [];

  /** @param {HTMLTableElement} table @param {(key: string) => void} choose */
  constructor(table, choose) {
    this.#body = /** @type {HTMLTableSectionElement} */ (table.tBodies[0]);
    this.#choose = choose;
    this.#body.addEventListener('keydown', (event) => this.#move(event));
    this.#body.addEventListener('focusin', ({ target }) => this.#makeReachable(target));
  }

  /**
   * Updates the rows and returns the number shown.
   * @param {readonly Row[]} rows @param {{ filter: Filter, order: Order, nowMs: number, chosen: string }} view
   */
  update(rows, { filter, order, nowMs, chosen }) {
    const keys = new Set(rows.map(({ key }) => key));
    for (const key of this.#rows.keys()) if (!keys.has(key)) this.#rows.delete(key);
    const visible = sortRows(filterRows(rows, filter), order);
    this.#shown = visible.map((row) => {
      const shown = this.#rowOf(row);
      shown.update(row, nowMs, row.key === chosen);
      return shown;
    });
    const elements = this.#shown.map(({ element }) => element);
    setChildren(this.#body, elements);
    if (!this.#shown.some(({ button }) => button.tabIndex === 0)) this.#makeReachable(this.#shown[0]?.button ?? null);
    return visible.length;
  }

  /** Focuses a row if it exists. @param {string} key */
  focus(key) {
    this.#rows.get(key)?.button.focus();
  }

  /** @param {Row} row */
  #rowOf(row) {
    let shown = this.#rows.get(row.key);
    if (shown === undefined) {
      shown = new EndpointRow(row, () => this.#choose(row.key));
      this.#rows.set(row.key, shown);
    }
    return shown;
  }

  /** Keeps exactly one row in the tab order. @param {EventTarget | null} target */
  #makeReachable(target) {
    for (const { button } of this.#rows.values()) {
      setAttribute(button, 'tabindex', button === target ? '0' : '-1');
    }
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const at = this.#shown.findIndex(({ button }) => button === event.target);
    const last = this.#shown.length - 1;
    const places = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: last };
    const place = places[/** @type {keyof typeof places} */ (event.key)];
    if (at === -1 || place === undefined) return;
    event.preventDefault();
    this.#shown[Math.min(last, Math.max(0, place))]?.button.focus();
  }
}

/**
 * Makes column heads sort the table and announce it.
 * @param {HTMLTableElement} table @param {(column: Column) => void} choose
 */
export function makeSortable(table, choose) {
  for (const button of table.querySelectorAll('thead button')) {
    const column = /** @type {Column} */ (button.getAttribute('data-column'));
    button.addEventListener('click', () => choose(column));
  }
}

/** @param {HTMLTableElement} table @param {Order} order */
export function showOrder(table, { column, isDescending }) {
  for (const button of table.querySelectorAll('thead button')) {
    const isThis = button.getAttribute('data-column') === column;
    const head = /** @type {Element} */ (button.closest('th'));
    if (isThis) setAttribute(head, 'aria-sort', isDescending ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
}
