// The state of an endpoint as a sign, a word and a colour. Runs in the browser.

/** @import { State } from './types.d.ts' */

import { make, setAttribute, setText } from './dom.js';
import { STATES } from './states.js';

export class StateBadge {
  element = make('span', { class: 'state' });
  #sign = make('span', { class: 'sign', 'aria-hidden': 'true' });
  #word = make('span');

  constructor() {
    this.element.append(this.#sign, this.#word);
  }

  /** @param {State} state */
  update(state) {
    const { label, sign, tone } = STATES[state];
    setAttribute(this.element, 'data-tone', tone);
    setText(this.#sign, sign);
    setText(this.#word, label);
  }
}

/** @param {State} state */
export function badgeOf(state) {
  const badge = new StateBadge();
  badge.update(state);
  return badge.element;
}
