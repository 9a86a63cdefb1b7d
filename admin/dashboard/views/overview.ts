// Overview: problems as sentences, the figures that count, and the last hour as charts. Runs in the browser.

import type { Hour, Live } from '../types.ts';
import { count, millis, percent, plural, rate } from '../data/format.ts';
import type { HourHistory } from '../data/hour-history.ts';
import { type ProblemFacts, type ProblemPlace, problemsOf, SATURATED, targetText } from '../data/problems.ts';
import { isFailing } from '../data/states.ts';
import { Chart } from '../parts/charts.ts';
import { byId, setAttribute, setText } from '../parts/dom.ts';
import { ProblemList } from './problem-list.ts';

const HOUR_S = 3_600;
const SIZE = { height: 150, hasAxes: true, seconds: HOUR_S };
export class Overview {
  readonly #problems: ProblemList;
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
    this.#problems = new ProblemList(open);
    byId('chart-traffic', HTMLElement).append(this.#traffic.element);
    byId('chart-times', HTMLElement).append(this.#times.element);
    byId('chart-saturation', HTMLElement).append(this.#saturation.element);
    byId('chart-load', HTMLElement).append(this.#load.element);
  }

  update(facts: ProblemFacts, hour: HourHistory): void {
    this.#problems.update(problemsOf(facts));
    this.#showFigures(facts.live, hour);
  }

  /** Draws the charts, when the history has a new step or the view is opened. */
  drawCharts(hour: HourHistory): void {
    this.#traffic.draw(hour.read('', 'requestsPerSecond', 'errorsPerSecond'));
    this.#times.draw(hour.read('', 'p99Ms', 'p50Ms'));
    this.#saturation.draw(hour.read('', 'saturation'));
    this.#load.draw(hour.read('', 'inFlight', 'queued'));
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
    setAttribute(byId('tile-errors', HTMLElement), 'data-tone', isFailing(errorShare) ? 'bad' : '');
    setAttribute(byId('tile-saturation', HTMLElement), 'data-tone', (saturation ?? 0) >= SATURATED ? 'bad' : '');
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
