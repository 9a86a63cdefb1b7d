// Overview: problems as sentences, the figures that count, and the last hour as charts. Runs in the browser.

import type { Hour, Live } from '../types.ts';
import { count, millis, percent, plural, rate } from '../data/format.ts';
import type { HourHistory } from '../data/hour-history.ts';
import { type Problem, type ProblemFacts, type ProblemPlace, problemsOf, targetText } from '../data/problems.ts';
import { Chart } from '../parts/charts.ts';
import { byId, make, makeButton, setAttribute, setText } from '../parts/dom.ts';
import { toneBadge } from '../parts/state-badge.ts';

const HOUR_S = 3_600;
const SIZE = { height: 150, hasAxes: true, seconds: HOUR_S };
/** Problems on the page; the others are counted. */
const MOST_PROBLEMS = 50;

const LABELS = {
  bad: { sign: '✕', label: 'problem' },
  warn: { sign: '!', label: 'warning' },
  set: { sign: '‖', label: 'note' },
  good: { sign: '●', label: 'good' },
} as const;

export class Overview {
  readonly #problems = byId('problems', HTMLElement);
  readonly #open: (place: ProblemPlace) => void;
  #problemsText = '';
  readonly #traffic = new Chart({
    title: 'Requests and errors, last hour',
    lines: [
      { ink: 'rate', name: 'requests per second' },
      { ink: 'error', name: 'errors per second' },
    ],
    format: rate,
    ...SIZE,
  });
  readonly #times = new Chart({
    title: 'Response times, last hour',
    lines: [
      { ink: 'slow', name: '99th percentile' },
      { ink: 'fast', name: 'median' },
    ],
    format: millis,
    ...SIZE,
  });
  readonly #saturation = new Chart({
    title: 'Saturation, last hour',
    lines: [{ ink: 'rate', name: 'use of the fullest limit' }],
    format: percent,
    least: 0.2,
    ...SIZE,
  });
  readonly #load = new Chart({
    title: 'Requests in flight and in queues, last hour',
    lines: [
      { ink: 'rate', name: 'in flight' },
      { ink: 'error', name: 'queued' },
    ],
    format: count,
    ...SIZE,
  });

  constructor(open: (place: ProblemPlace) => void) {
    this.#open = open;
    byId('chart-traffic', HTMLElement).append(this.#traffic.element);
    byId('chart-times', HTMLElement).append(this.#times.element);
    byId('chart-saturation', HTMLElement).append(this.#saturation.element);
    byId('chart-load', HTMLElement).append(this.#load.element);
  }

  update(facts: ProblemFacts, hour: HourHistory): void {
    this.#showProblems(problemsOf(facts));
    this.#showFigures(facts.live, hour);
  }

  /** Draws the charts, when the history has a new step or the view is opened. */
  drawCharts(hour: HourHistory): void {
    this.#traffic.draw(hour.read('', 'requestsPerSecond', 'errorsPerSecond'));
    this.#times.draw(hour.read('', 'p99Ms', 'p50Ms'));
    this.#saturation.draw(hour.read('', 'saturation'));
    this.#load.draw(hour.read('', 'inFlight', 'queued'));
  }

  #showProblems(problems: readonly Problem[]): void {
    const text = JSON.stringify(problems);
    if (text === this.#problemsText) return;
    this.#problemsText = text;
    const items = problems.slice(0, MOST_PROBLEMS).map((problem) => this.#itemOf(problem));
    const more = problems.length - items.length;
    if (more > 0) items.push(make('li', { class: 'minor' }, `and ${plural(more, 'other problem')}`));
    if (items.length === 0) items.push(make('li', {}, toneBadge('●', 'good', 'good'), ' No problems.'));
    this.#problems.replaceChildren(...items);
  }

  #itemOf({ tone, text, step, place }: Problem): HTMLElement {
    const { sign, label } = LABELS[tone];
    const show = makeButton('Show', () => this.#open(place), { 'aria-label': `Show: ${text}` });
    const words = make('div', { class: 'sentence' }, make('div', {}, text), make('div', { class: 'minor' }, step));
    return make('li', { 'data-tone': tone }, toneBadge(sign, label, tone), words, show);
  }

  #showFigures({ requestsPerSecond, errorShare, exchanges, connections, upstreams }: Live, hour: HourHistory): void {
    const queued = upstreams.reduce((sum, upstream) => sum + upstream.queued, 0);
    const saturation = hour.last('', 'saturation');
    const figures = {
      'tile-rate': rate(requestsPerSecond),
      'tile-errors': percent(errorShare),
      'tile-p50': millis(hour.last('', 'p50Ms')),
      'tile-p99': millis(hour.last('', 'p99Ms')),
      'tile-requests': count(exchanges),
      'tile-queued': count(queued),
      'tile-connections': count(connections),
      'tile-saturation': percent(saturation),
    };
    for (const [id, text] of Object.entries(figures)) setText(byId(id, HTMLElement), text);
    setAttribute(byId('tile-errors', HTMLElement), 'data-tone', (errorShare ?? 0) >= 0.01 ? 'bad' : '');
    setAttribute(byId('tile-saturation', HTMLElement), 'data-tone', (saturation ?? 0) >= 0.9 ? 'bad' : '');
    showBudget(hour.budget);
  }
}

function showBudget(budget: Hour['budget'] | null): void {
  const [figure, about] = [byId('tile-budget', HTMLElement), byId('tile-budget-about', HTMLElement)];
  const used = budget?.usedShare ?? null;
  setAttribute(figure, 'data-tone', (used ?? 0) >= 1 ? 'bad' : '');
  if (budget === null || used === null) {
    setText(figure, '–');
    setText(about, 'no requests in the last hour');
    return;
  }
  setText(figure, used > 1 ? `used ${rate(used)} times` : `${percent(1 - used)} left`);
  const failed = `${count(budget.errors)} of ${plural(budget.requests, 'request')} failed in the last hour`;
  setText(about, `${failed}; target ${targetText(budget.target)}`);
}
