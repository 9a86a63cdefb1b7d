// The table of upstreams: states, load, and the last hour as lines on a scale that all rows share. Runs in the browser.

import type { LiveUpstream } from '../types.ts';
import { count, millis, percent, rate } from '../data/format.ts';
import type { HourHistory } from '../data/hour-history.ts';
import { sortUpstreams } from '../data/rows.ts';
import { isFailing, isProblem, STATES, tally } from '../data/states.ts';
import { Chart } from '../parts/charts.ts';
import { byId, make, makeButton, setAttribute, setChildren, setText } from '../parts/dom.ts';
import { cellOf, GridTable, type Heading } from '../parts/grid-table.ts';
import { toneBadge } from '../parts/state-badge.ts';

/** Protocols of requests to endpoints. */
const PROTOCOLS = { http1: 'HTTP/1.1', http2: 'HTTP/2', auto: 'by ALPN', tcp: 'TCP' };
const HOUR_S = 3_600;

const FIGURES: readonly (Heading & { readonly text: (upstream: LiveUpstream) => string })[] = [
  { id: 'inFlight', title: 'in flight', width: 5, text: ({ inFlight }) => count(inFlight) },
  { id: 'queued', title: 'queued', width: 5, text: ({ queued }) => count(queued) },
  { id: 'rate', title: 'req/s', width: 5, text: ({ requestsPerSecond }) => rate(requestsPerSecond) },
  { id: 'errors', title: 'errors', width: 5, text: ({ errorShare }) => percent(errorShare) },
  { id: 'p50', title: 'p50', width: 5, text: ({ p50Ms }) => millis(p50Ms) },
  { id: 'p99', title: 'p99', width: 5, text: ({ p99Ms }) => millis(p99Ms) },
];
const CHART_WIDTH = 10;

const ink = (name: string, text: string): HTMLElement => make('span', { class: `ink-${name}` }, text);

function headings(): Heading[] {
  return [
    { id: 'name', title: 'upstream', width: 10, isText: true },
    { id: 'endpoints', title: 'endpoints', width: 9, isText: true },
    ...FIGURES,
    { id: 'rates', title: make('span', {}, 'req/s, ', ink('error', 'errors')), width: CHART_WIDTH },
    { id: 'times', title: make('span', {}, ink('slow', 'p99'), ', ', ink('fast', 'p50')), width: CHART_WIDTH },
  ];
}

/** Highest values of all upstreams. */
interface Scale {
  readonly most: number;
  readonly slowest: number;
}

class UpstreamRow {
  readonly element = make('div', { class: 'row', role: 'row' });
  readonly #button: HTMLButtonElement;
  readonly #about = make('div', { class: 'minor' });
  readonly #states: HTMLElement;
  readonly #figures: HTMLElement[];
  readonly #rates: Chart;
  readonly #times: Chart;
  #statesText = '';
  /** Newest step of the history in its charts. */
  #drawnAt = '';

  constructor(name: string, choose: () => void, [head, states, ...rest]: readonly Heading[]) {
    this.#button = makeButton(name, choose, { class: 'link', 'aria-pressed': 'false' });
    const size = { height: 30, seconds: HOUR_S };
    const rates = [
      { ink: 'rate', name: 'requests per second' },
      { ink: 'error', name: 'of these errors' },
    ] as const;
    this.#rates = new Chart({ title: `${name}, last hour`, lines: rates, format: rate, ...size });
    const times = [
      { ink: 'slow', name: '99th percentile' },
      { ink: 'fast', name: 'median' },
    ] as const;
    this.#times = new Chart({ title: `${name}, response times, last hour`, lines: times, format: millis, ...size });
    const first = cellOf(head!, this.#button, this.#about);
    setAttribute(first, 'role', 'rowheader');
    this.#states = cellOf(states!);
    this.#states.classList.add('states');
    this.#figures = FIGURES.map((heading) => cellOf(heading));
    const [rateHead, timeHead] = rest.slice(FIGURES.length);
    const charts = [cellOf(rateHead!, this.#rates.element), cellOf(timeHead!, this.#times.element)];
    this.element.append(first, this.#states, ...this.#figures, ...charts);
  }

  update(upstream: LiveUpstream, isChosen: boolean): void {
    const { balance, protocol, errorShare } = upstream;
    setAttribute(this.#button, 'aria-pressed', String(isChosen));
    setText(this.#about, `${balance}, ${PROTOCOLS[protocol]}`);
    this.#showStates(upstream);
    for (const [index, { text }] of FIGURES.entries()) setText(this.#figures[index]!, text(upstream));
    setAttribute(this.#figures[3]!, 'data-tone', isFailing(errorShare) ? 'bad' : '');
  }

  drawCharts(name: string, hour: HourHistory, { most, slowest }: Scale): void {
    this.#drawnAt = hour.newest;
    this.#rates.draw(hour.read(name, 'requestsPerSecond', 'errorsPerSecond'), most);
    this.#times.draw(hour.read(name, 'p99Ms', 'p50Ms'), slowest);
  }

  isDrawn(hour: HourHistory): boolean {
    return this.#drawnAt === hour.newest;
  }

  #showStates({ endpoints }: LiveUpstream): void {
    const counts = tally(endpoints);
    const text = JSON.stringify(counts);
    if (text === this.#statesText) return;
    this.#statesText = text;
    const badges = counts.map(([state, number]) => {
      const { label, sign, tone } = STATES[state];
      return toneBadge(sign, `${number} ${label}`, tone);
    });
    this.#states.replaceChildren(...badges);
    const isIll = endpoints.some(({ availability }) => isProblem(availability));
    setAttribute(this.element, 'data-tone', isIll ? 'bad' : '');
  }

  remove(): void {
    this.#rates.remove();
    this.#times.remove();
    this.element.remove();
  }
}

export class UpstreamTable {
  readonly #table = new GridTable(byId('upstreams', HTMLElement), { label: 'Upstreams' });
  readonly #scale = byId('upstreams-scale', HTMLElement);
  readonly #choose: (name: string) => void;
  readonly #rows = new Map<string, UpstreamRow>();
  readonly #headings = headings();

  /** @param choose called with the name of the chosen one */
  constructor(choose: (name: string) => void) {
    this.#choose = choose;
    this.#table.setHeadings(this.#headings);
  }

  update(upstreams: readonly LiveUpstream[], hour: HourHistory, chosen: string): void {
    const names = new Set(upstreams.map(({ name }) => name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.remove();
      this.#rows.delete(name);
    }
    const rows = sortUpstreams(upstreams).map((upstream) => {
      const row = this.#rowOf(upstream.name);
      row.update(upstream, upstream.name === chosen);
      return row.element;
    });
    setChildren(this.#table.body, rows);
    this.#drawCharts(hour);
  }

  /** Draws charts that lack the newest step: the history has one every ten seconds, and statuses come every second. */
  #drawCharts(hour: HourHistory): void {
    const old = [...this.#rows].filter(([, row]) => !row.isDrawn(hour));
    if (old.length === 0) return;
    const scale = { most: hour.highest('requestsPerSecond'), slowest: hour.highest('p99Ms') };
    for (const [name, row] of old) row.drawCharts(name, hour, scale);
    setText(
      this.#scale,
      `Charts: last hour, common scale up to ${rate(scale.most)} req/s and ${millis(scale.slowest)}.`,
    );
  }

  #rowOf(name: string): UpstreamRow {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = new UpstreamRow(name, () => this.#choose(name), this.#headings);
      this.#rows.set(name, row);
    }
    return row;
  }
}
