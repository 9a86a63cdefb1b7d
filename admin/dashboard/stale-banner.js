// Says when what is shown is old: the stream is lost, or nothing has come for a while. Old figures that look like new
// ones are worse than none. Runs in the browser.

import { byId, setAttribute, setText } from './dom.js';
import { clock, span } from './format.js';

/** Status comes every second; with thousands of endpoints more rarely, every 8 s at 4,000. */
const LATE_MS = 5_000;
const LATE_INTERVALS = 3;

export class StaleBanner {
  #banner = byId('stale', HTMLElement);
  #text = byId('stale-text', HTMLElement);
  #connection = byId('connection', HTMLElement);
  #heardMs = Date.now();
  #intervalMs = 1_000;
  #why = '';
  #isHidden = true;

  constructor() {
    setInterval(() => this.#look(), 1_000);
  }

  get isLive() {
    return this.#why === '' && !this.#isHidden;
  }

  /** A status has come. */
  noteData() {
    const nowMs = Date.now();
    if (this.isLive) this.#intervalMs = Math.max(1_000, nowMs - this.#heardMs);
    this.#heardMs = nowMs;
    this.#why = '';
    this.#isHidden = false;
    this.#look();
  }

  /** @param {string} why */
  lose(why) {
    this.#why = why;
    this.#isHidden = false;
    this.#look();
  }

  /** Nothing is shown that could be old. */
  hide() {
    this.#isHidden = true;
    this.#why = '';
    this.#banner.hidden = true;
    document.body.classList.remove('is-stale');
  }

  #look() {
    if (this.#isHidden) return;
    const ageMs = Date.now() - this.#heardMs;
    const isLate = ageMs > Math.max(LATE_MS, LATE_INTERVALS * this.#intervalMs);
    const isStale = this.#why !== '' || isLate;
    document.body.classList.toggle('is-stale', isStale);
    this.#banner.hidden = !isStale;
    setText(this.#connection, isStale ? '○ lost' : '● live');
    setAttribute(this.#connection, 'data-tone', isStale ? 'bad' : 'good');
    if (!isStale) return;
    const why = this.#why === '' ? 'nothing has come' : this.#why;
    setText(
      this.#text,
      `Stale since ${clock(this.#heardMs)} (${span(ageMs / 1000)}): ${why}. What you see is old; trying again.`,
    );
  }
}
