// The pane for one endpoint: explanation of its state, charts of the last minutes, actions. Runs in the browser.

/** @import { History } from './history.js' */
/** @import { Change, Row, Why } from './types.d.ts' */

import { ApiError, askWhy } from './api.js';
import { Chart } from './charts.js';
import { byId, make, setAttribute, setText } from './dom.js';
import { loadTexts, millis, rate, span } from './format.js';
import { weightText } from './endpoint-row.js';
import { StateBadge } from './state-badge.js';
import { whySections } from './why-sections.js';

const SIZE = { width: 400, height: 96, hasAxes: true };

/** @typedef {{ act: (row: Row, change: Change | 'weight') => void, close: () => void }} DetailsParts */

export class Details {
  #pane = byId('details', HTMLElement);
  #title = byId('details-name', HTMLElement);
  #facts = byId('details-facts', HTMLElement);
  #why = byId('details-why', HTMLElement);
  #actions = byId('actions', HTMLElement);
  #badge = new StateBadge();
  /** @type {Row | null} */
  #row = null;
  #asked = 0;
  #whyText = '';
  #rates = new Chart({
    title: 'Requests per second',
    lines: [
      { ink: 'rate', name: 'requests' },
      { ink: 'error', name: 'errors' },
    ],
    format: rate,
    ...SIZE,
  });
  #times = new Chart({
    title: 'Time to answer',
    lines: [
      { ink: 'slow', name: '99th percentile' },
      { ink: 'fast', name: 'median' },
    ],
    format: millis,
    ...SIZE,
  });

  /** @param {DetailsParts} parts */
  constructor({ act, close }) {
    byId('details-state', HTMLElement).append(this.#badge.element);
    byId('details-rates', HTMLElement).append(this.#rates.element);
    byId('details-times', HTMLElement).append(this.#times.element);
    byId('details-close', HTMLButtonElement).addEventListener('click', close);
    for (const button of this.#actions.querySelectorAll('button')) {
      button.addEventListener('click', () => {
        const asked = button.dataset['act'] ?? '';
        const change = asked === 'weight' ? asked : { admin: /** @type {Row['operator']} */ (asked) };
        if (this.#row !== null && button.ariaDisabled !== 'true') act(this.#row, change);
      });
    }
  }

  /** Shows this one from now on; null: none. @param {Row | null} row */
  open(row) {
    this.#row = row;
    this.#pane.hidden = row === null;
    if (row === null) return;
    this.#whyText = '';
    this.#why.replaceChildren(make('p', { class: 'minor' }, 'Asking why…'));
    setText(this.#title, row.key);
    this.#pane.scrollIntoView({ block: 'nearest' });
    this.#title.focus();
    void this.ask();
  }

  /** The figures of this second. @param {Row} row @param {History} history @param {number} nowMs of the server @param {boolean} mayChange */
  update(row, history, nowMs, mayChange) {
    this.#row = row;
    this.#badge.update(row.availability);
    this.#actions.hidden = !mayChange;
    byId('actions-refused', HTMLElement).hidden = mayChange;
    for (const button of this.#actions.querySelectorAll('button')) {
      const isNow = button.dataset['act'] === row.operator;
      // Not `disabled`: the button that was just pressed would lose the focus.
      setAttribute(button, 'aria-disabled', String(isNow));
      setAttribute(button, 'aria-pressed', String(isNow));
    }
    this.#showFacts(row, nowMs);
    this.#rates.draw(history.read(`${row.key} rate`, `${row.key} errors`));
    this.#times.draw(history.read(`${row.key} p99`, `${row.key} p50`));
  }

  /** Fetches the explanation again. */
  async ask() {
    const row = this.#row;
    if (row === null) return;
    const number = ++this.#asked;
    const why = await askWhy(row.upstream, row.name).catch((/** @type {unknown} */ error) => error);
    if (number !== this.#asked || this.#row?.key !== row.key) return;
    if (why instanceof ApiError) this.#showError(why);
    else if (!(why instanceof Error)) this.#showWhy(/** @type {Why} */ (why));
  }

  /** @param {Row} row @param {number} nowMs */
  #showFacts(row, nowMs) {
    const texts = [span((nowMs - Date.parse(row.since)) / 1000), weightText(row), ...loadTexts(row)];
    for (const [index, cell] of [...this.#facts.querySelectorAll('dd')].entries()) setText(cell, texts[index] ?? '');
    setText(byId('details-cause', HTMLElement), row.cause);
  }

  /** Replaces only changed parts, so that a reader keeps the place. @param {Why} why */
  #showWhy(why) {
    const { now, ...rest } = why;
    const text = JSON.stringify(rest);
    if (text === this.#whyText) return;
    this.#whyText = text;
    this.#why.replaceChildren(...whySections(why, Date.parse(now)));
  }

  /** @param {ApiError} error */
  #showError(error) {
    this.#whyText = '';
    this.#why.replaceChildren(make('p', { class: 'error', role: 'alert' }, error.message));
  }
}
