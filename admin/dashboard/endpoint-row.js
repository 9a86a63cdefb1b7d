// One row of the table of endpoints; an update changes only the cells that differ. Runs in the browser.

/** @import { Row } from './types.d.ts' */

import { make, setAttribute, setText } from './dom.js';
import { age, connectionText, loadTexts } from './format.js';
import { StateBadge } from './state-badge.js';
import { STATES } from './states.js';

export class EndpointRow {
  element = make('tr');
  button = make('button', { type: 'button', class: 'link', tabindex: '-1' });
  #badge = new StateBadge();
  #since = make('td', { class: 'number minor' });
  #figures = ['weight', 'connections', 'inFlight', 'queued', 'rate', 'errors', 'p50', 'p99'].map(() =>
    make('td', { class: 'number' }),
  );
  #cause = make('td', { class: 'cause' });

  /** @param {Row} row @param {() => void} choose */
  constructor({ key, name, upstream, backup }, choose) {
    this.button.append(make('span', { class: 'minor' }, `${upstream}/`), name);
    this.button.addEventListener('click', choose);
    this.element.dataset['key'] = key;
    const head = make('th', { scope: 'row' }, this.button);
    if (backup) head.append(make('span', { class: 'mark' }, 'backup'));
    this.element.append(make('td', {}, this.#badge.element), head, this.#since, ...this.#figures, this.#cause);
  }

  /** @param {Row} row @param {number} nowMs of the server @param {boolean} isChosen */
  update(row, nowMs, isChosen) {
    const { availability, errorShare, cause, since } = row;
    const { tone } = STATES[availability];
    this.#badge.update(availability);
    setAttribute(this.element, 'data-tone', tone);
    setAttribute(this.element, 'data-state', availability);
    setAttribute(this.button, 'aria-pressed', String(isChosen));
    setText(this.#since, age(since, nowMs));
    for (const [index, text] of [weightText(row), connectionText(row), ...loadTexts(row)].entries()) {
      setText(/** @type {Element} */ (this.#figures[index]), text);
    }
    setAttribute(/** @type {Element} */ (this.#figures[5]), 'data-tone', (errorShare ?? 0) >= 0.01 ? 'bad' : '');
    setText(this.#cause, cause);
    setAttribute(this.#cause, 'title', cause);
  }
}

/** The effective weight, marked if an operator has set it, with the share that is carried if below 1. @param {Row} row */
export function weightText({ weight, configuredWeight, weightShare }) {
  const override = weight === configuredWeight ? '' : `* (${configuredWeight})`;
  const share = weightShare === 1 ? '' : ` × ${weightShare}`;
  return `${weight}${override}${share}`;
}
