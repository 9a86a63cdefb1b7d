// Shows that the data is old: the stream is lost, or no status has arrived for a while. Old figures that look current are
// worse than none. Runs in the browser.

import { clock, span } from '../data/format.ts';
import { byId, setAttribute, setText } from './dom.ts';

/** A status arrives every second; with thousands of endpoints less often, every 4 s at 4,000. */
const LATE_MS = 5_000;
const LATE_INTERVALS = 3;

export class StaleBanner {
  readonly #banner = byId('stale', HTMLElement);
  readonly #text = byId('stale-text', HTMLElement);
  readonly #connection = byId('connection', HTMLElement);
  #receivedMs = Date.now();
  #intervalMs = 1_000;
  #why = '';
  #isHidden = true;

  constructor() {
    setInterval(() => this.#check(), 1_000);
  }

  get isLive(): boolean {
    return this.#why === '' && !this.#isHidden;
  }

  /** A status has arrived. */
  noteData(): void {
    const nowMs = Date.now();
    if (this.isLive) this.#intervalMs = Math.max(1_000, nowMs - this.#receivedMs);
    this.#receivedMs = nowMs;
    this.#why = '';
    this.#isHidden = false;
    this.#check();
  }

  lose(why: string): void {
    this.#why = why;
    this.#isHidden = false;
    this.#check();
  }

  /** The page shows nothing that could be old. */
  hide(): void {
    this.#isHidden = true;
    this.#why = '';
    this.#banner.hidden = true;
    document.body.classList.remove('is-stale');
  }

  #check(): void {
    if (this.#isHidden) return;
    const ageMs = Date.now() - this.#receivedMs;
    const isLate = ageMs > Math.max(LATE_MS, LATE_INTERVALS * this.#intervalMs);
    const isStale = this.#why !== '' || isLate;
    document.body.classList.toggle('is-stale', isStale);
    this.#banner.hidden = !isStale;
    setText(this.#connection, isStale ? '○ lost' : '● live');
    setAttribute(this.#connection, 'data-tone', isStale ? 'bad' : 'good');
    if (!isStale) return;
    const why = this.#why === '' ? 'no data arrives' : this.#why;
    const age = span(ageMs / 1000);
    setText(this.#text, `Stale since ${clock(this.#receivedMs)} (${age}): ${why}. All figures are old; reconnecting.`);
  }
}
