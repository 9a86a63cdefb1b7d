// Announces state changes to screen readers, at most one sentence every few seconds, so that a burst of changes does not
// flood the listener. Pure except for its dependencies. Runs in the browser.

const EVERY_MS = 4_000;
/** Number of endpoints that are named; beyond it only the number is announced. */
const MAX_NAMED = 3;

/**
 * @typedef {object} AnnouncerParts
 * @property {(text: string) => void} say
 * @property {(callback: () => void, ms: number) => void} later
 */

export class Announcer {
  #parts;
  /** @type {Map<string, string>} the newest word about each endpoint */
  #waiting = new Map();
  #isPaused = false;

  /** @param {AnnouncerParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {string} name @param {string} state in words */
  note(name, state) {
    this.#waiting.set(name, state);
    if (!this.#isPaused) this.#speak();
  }

  #speak() {
    const changes = [...this.#waiting].map(([name, state]) => `${name} is ${state}`);
    this.#waiting.clear();
    const isMany = changes.length > MAX_NAMED;
    const rest = isMany ? `; ${changes.length - MAX_NAMED} more endpoints changed` : '';
    this.#parts.say(`${changes.slice(0, MAX_NAMED).join('; ')}${rest}.`);
    this.#isPaused = true;
    this.#parts.later(() => {
      this.#isPaused = false;
      if (this.#waiting.size > 0) this.#speak();
    }, EVERY_MS);
  }
}
