// The state of an endpoint as a sign, a word and a colour. Runs in the browser.

import type { State, Tone } from '../types.ts';
import { STATES } from '../data/states.ts';
import { make, setAttribute, setText } from './dom.ts';

export class StateBadge {
  readonly element = make('span', { class: 'state' });
  readonly #sign = make('span', { class: 'sign', 'aria-hidden': 'true' });
  readonly #label = make('span');

  constructor() {
    this.element.append(this.#sign, this.#label);
  }

  update(state: State): void {
    const { label, sign, tone } = STATES[state];
    this.show(sign, label, tone);
  }

  show(sign: string, label: string, tone: Tone): void {
    setAttribute(this.element, 'data-tone', tone);
    setText(this.#sign, sign);
    setText(this.#label, label);
  }
}

export function badgeOf(state: State): HTMLElement {
  const badge = new StateBadge();
  badge.update(state);
  return badge.element;
}

export function toneBadge(sign: string, label: string, tone: Tone): HTMLElement {
  const badge = new StateBadge();
  badge.show(sign, label, tone);
  return badge.element;
}
