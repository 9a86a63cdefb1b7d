// Problems as sentences with a button each. A problem keeps its element while its sentence stays the same, and so the focus
// on its button, although ages in its second line change. Runs in the browser.

import type { Problem, ProblemPlace } from '../data/problems.ts';
import { plural } from '../data/format.ts';
import { byId, make, makeButton, setChildren, setText } from '../parts/dom.ts';
import { toneBadge } from '../parts/state-badge.ts';

/** Problems on the page; the others are counted. */
const MOST_PROBLEMS = 50;

const LABELS = {
  bad: { sign: '✕', label: 'problem' },
  warn: { sign: '!', label: 'warning' },
  set: { sign: '‖', label: 'note' },
  good: { sign: '●', label: 'good' },
} as const;

interface Item {
  readonly element: HTMLElement;
  readonly step: HTMLElement;
}

export class ProblemList {
  readonly #host = byId('problems', HTMLElement);
  readonly #open: (place: ProblemPlace) => void;
  readonly #none = make('li', {}, toneBadge('●', 'good', 'good'), ' No problems.');
  readonly #more = make('li', { class: 'minor' });
  /** By tone and sentence. */
  #items: ReadonlyMap<string, Item> = new Map();

  constructor(open: (place: ProblemPlace) => void) {
    this.#open = open;
  }

  update(problems: readonly Problem[]): void {
    const items = problems.slice(0, MOST_PROBLEMS).map((problem): [string, Item] => {
      const key = `${problem.tone} ${problem.text}`;
      const item = this.#items.get(key) ?? this.#itemOf(problem);
      setText(item.step, problem.step);
      return [key, item];
    });
    this.#items = new Map(items);
    const elements = [...this.#items.values()].map(({ element }) => element);
    const more = problems.length - elements.length;
    if (more > 0) elements.push(this.#more);
    setText(this.#more, `and ${plural(more, 'other problem')}`);
    setChildren(this.#host, problems.length === 0 ? [this.#none] : elements);
  }

  #itemOf({ tone, text, place }: Problem): Item {
    const { sign, label } = LABELS[tone];
    const step = make('div', { class: 'minor' });
    const show = makeButton('Show', () => this.#open(place), { 'aria-label': `Show: ${text}` });
    const words = make('div', { class: 'sentence' }, make('div', {}, text), step);
    return { element: make('li', { 'data-tone': tone }, toneBadge(sign, label, tone), words, show), step };
  }
}
