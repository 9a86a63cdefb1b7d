// The pane for one endpoint: explanation of its state, charts of the last minutes, actions. Runs in the browser.

import type { Change, RequestedState, Row, Why } from '../types.ts';
import { ApiError, readWhy } from '../data/api.ts';
import { bytes, loadTexts, millis, rate, span, weightText } from '../data/format.ts';
import { type RecentSamples, SAMPLES } from '../data/recent-samples.ts';
import { Chart } from '../parts/charts.ts';
import { byId, make, setAttribute, setText } from '../parts/dom.ts';
import { StateBadge } from '../parts/state-badge.ts';
import { whySections } from './why-sections.ts';

const SIZE = { height: 96, hasAxes: true, seconds: SAMPLES };

export interface DetailsParts {
  readonly act: (row: Row, change: Change | 'weight') => void;
  readonly close: () => void;
}

export class Details {
  readonly #pane = byId('details', HTMLElement);
  readonly #title = byId('details-name', HTMLElement);
  readonly #cause = byId('details-cause', HTMLElement);
  readonly #facts = byId('details-facts', HTMLElement);
  readonly #why = byId('details-why', HTMLElement);
  readonly #actions = byId('actions', HTMLElement);
  readonly #refused = byId('actions-refused', HTMLElement);
  readonly #badge = new StateBadge();
  #row: Row | null = null;
  #requests = 0;
  #whyText = '';
  readonly #rates = new Chart({
    title: 'Requests per second',
    lines: [
      { ink: 'rate', name: 'requests' },
      { ink: 'error', name: 'errors' },
    ],
    format: rate,
    ...SIZE,
  });
  readonly #times = new Chart({
    title: 'Response time',
    lines: [
      { ink: 'slow', name: '99th percentile' },
      { ink: 'fast', name: 'median' },
    ],
    format: millis,
    ...SIZE,
  });

  constructor({ act, close }: DetailsParts) {
    byId('details-state', HTMLElement).append(this.#badge.element);
    byId('details-rates', HTMLElement).append(this.#rates.element);
    byId('details-times', HTMLElement).append(this.#times.element);
    byId('details-close', HTMLButtonElement).addEventListener('click', close);
    for (const button of this.#actions.querySelectorAll('button')) {
      button.addEventListener('click', () => {
        const wanted = button.dataset['act'] ?? '';
        const change = wanted === 'weight' ? wanted : { admin: wanted as RequestedState };
        if (this.#row !== null && button.ariaDisabled !== 'true') act(this.#row, change);
      });
    }
  }

  /** Shows this endpoint from now on; null: none. */
  open(row: Row | null): void {
    this.#row = row;
    this.#pane.hidden = row === null;
    if (row === null) return;
    this.#whyText = '';
    this.#why.replaceChildren(make('p', { class: 'minor' }, 'Loading the reasons…'));
    setText(this.#title, row.key);
    this.#pane.scrollIntoView({ block: 'nearest' });
    this.#title.focus({ preventScroll: true });
    void this.load();
  }

  /** The figures of this second. @param nowMs of the server */
  update(row: Row, samples: RecentSamples, nowMs: number, mayChange: boolean): void {
    this.#row = row;
    this.#badge.update(row.availability);
    this.#actions.hidden = !mayChange;
    this.#refused.hidden = mayChange;
    for (const button of this.#actions.querySelectorAll('button')) {
      const isNow = button.dataset['act'] === row.operator;
      // Not `disabled`: the button that was just pressed would lose the focus.
      setAttribute(button, 'aria-disabled', String(isNow));
      setAttribute(button, 'aria-pressed', String(isNow));
    }
    this.#showFacts(row, nowMs);
    this.#rates.draw(samples.read(`${row.key} rate`, `${row.key} errors`));
    this.#times.draw(samples.read(`${row.key} p99`, `${row.key} p50`));
  }

  /** Fetches the explanation again. */
  async load(): Promise<void> {
    const row = this.#row;
    if (row === null) return;
    const number = ++this.#requests;
    const isCurrent = (): boolean => number === this.#requests && this.#row?.key === row.key;
    try {
      const why = await readWhy(row.upstream, row.name);
      if (isCurrent()) this.#showWhy(why);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (isCurrent()) this.#showError(error);
    }
  }

  #showFacts(row: Row, nowMs: number): void {
    const more = [bytes(row.bytesSent), bytes(row.bytesReceived), row.zone || '–', row.origin];
    const texts = [span((nowMs - Date.parse(row.since)) / 1000), weightText(row), ...loadTexts(row), ...more];
    for (const [index, cell] of [...this.#facts.querySelectorAll('dd')].entries()) setText(cell, texts[index] ?? '');
    setText(this.#cause, row.cause);
  }

  /** Replaces only changed parts, so that a reader keeps the place. */
  #showWhy(why: Why): void {
    const { now, ...rest } = why;
    const text = JSON.stringify(rest);
    if (text === this.#whyText) return;
    this.#whyText = text;
    this.#why.replaceChildren(...whySections(why, Date.parse(now)));
  }

  #showError(error: ApiError): void {
    this.#whyText = '';
    this.#why.replaceChildren(make('p', { class: 'error', role: 'alert' }, error.message));
  }
}
