// The table of upstreams: how they are, what they carry, and their last minutes as lines. Runs in the browser.

/** @import { History } from './history.js' */
/** @import { LiveUpstream } from './types.d.ts' */

import { Chart } from './charts.js';
import { make, setAttribute, setChildren, setText } from './dom.js';
import { loadTexts, millis, rate } from './format.js';
import { sortUpstreams } from './model.js';
import { isProblem, STATES, tally } from './states.js';

/** Protocols of requests to endpoints. */
const PROTOCOLS = { http1: 'HTTP/1.1', http2: 'HTTP/2', auto: 'by ALPN', tcp: 'TCP' };

class UpstreamRow {
  element = make('tr');
  #button;
  #balance = make('td', { class: 'minor' });
  #protocol = make('td', { class: 'minor' });
  #states = make('td', { class: 'states' });
  #figures = ['inFlight', 'queued', 'rate', 'errors', 'p50', 'p99'].map(() => make('td', { class: 'number' }));
  #rates;
  #times;
  #statesText = '';

  /** @param {string} name @param {() => void} choose */
  constructor(name, choose) {
    this.#button = make('button', { type: 'button', class: 'link', 'aria-pressed': 'false' }, name);
    this.#button.addEventListener('click', choose);
    const size = { width: 150, height: 30 };
    const rates = [
      { ink: /** @type {const} */ ('rate'), name: 'requests per second' },
      { ink: /** @type {const} */ ('error'), name: 'of these errors' },
    ];
    this.#rates = new Chart({ title: `${name}, last minutes`, lines: rates, format: rate, ...size });
    const times = [
      { ink: /** @type {const} */ ('slow'), name: '99th percentile' },
      { ink: /** @type {const} */ ('fast'), name: 'median' },
    ];
    this.#times = new Chart({ title: `${name}, time to answer`, lines: times, format: millis, ...size });
    const head = make('th', { scope: 'row' }, this.#button);
    const charts = [
      make('td', { class: 'picture' }, this.#rates.element),
      make('td', { class: 'picture' }, this.#times.element),
    ];
    this.element.append(head, this.#balance, this.#protocol, this.#states, ...this.#figures, ...charts);
  }

  /** @param {LiveUpstream} upstream @param {History} history @param {boolean} isChosen */
  update(upstream, history, isChosen) {
    const { name, balance, protocol, errorShare } = upstream;
    setAttribute(this.#button, 'aria-pressed', String(isChosen));
    setText(this.#balance, balance);
    setText(this.#protocol, PROTOCOLS[protocol]);
    this.#showStates(upstream);
    const texts = loadTexts(upstream);
    for (const [index, cell] of this.#figures.entries()) setText(cell, texts[index] ?? '');
    setAttribute(/** @type {Element} */ (this.#figures[3]), 'data-tone', (errorShare ?? 0) >= 0.01 ? 'bad' : '');
    this.#rates.draw(history.read(`${name} rate`, `${name} errors`));
    this.#times.draw(history.read(`${name} p99`, `${name} p50`));
  }

  /** @param {LiveUpstream} upstream */
  #showStates({ endpoints }) {
    const counts = tally(endpoints);
    const text = JSON.stringify(counts);
    if (text === this.#statesText) return;
    this.#statesText = text;
    const words = counts.map(([state, number]) => {
      const { label, sign, tone } = STATES[state];
      return make(
        'span',
        { class: 'state', 'data-tone': tone },
        make('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
        ` ${number} ${label}`,
      );
    });
    this.#states.replaceChildren(...words);
    const isIll = endpoints.some(({ availability }) => isProblem(availability));
    setAttribute(this.element, 'data-tone', isIll ? 'bad' : '');
  }

  remove() {
    this.#rates.remove();
    this.#times.remove();
    this.element.remove();
  }
}

export class UpstreamTable {
  #body;
  #choose;
  /** @type {Map<string, UpstreamRow>} */
  #rows = new Map();

  /** @param {HTMLElement} body @param {(name: string) => void} choose called with the name of the one that was chosen */
  constructor(body, choose) {
    this.#body = body;
    this.#choose = choose;
  }

  /** @param {readonly LiveUpstream[]} upstreams @param {History} history @param {string} chosen */
  update(upstreams, history, chosen) {
    const names = new Set(upstreams.map(({ name }) => name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.remove();
      this.#rows.delete(name);
    }
    const rows = sortUpstreams(upstreams).map((upstream) => {
      const row = this.#rowOf(upstream.name);
      row.update(upstream, history, upstream.name === chosen);
      return row.element;
    });
    setChildren(this.#body, rows);
  }

  /** @param {string} name */
  #rowOf(name) {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = new UpstreamRow(name, () => this.#choose(name));
      this.#rows.set(name, row);
    }
    return row;
  }
}
