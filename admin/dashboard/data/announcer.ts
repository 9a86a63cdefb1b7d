// Announces state changes to screen readers, at most one sentence every few seconds, so that a burst of changes does not
// flood the listener. Pure except for its dependencies. Runs in the browser.

const EVERY_MS = 4_000;
/** Number of endpoints that are named; beyond it only the number is announced. */
const MAX_NAMED = 3;

export interface AnnouncerParts {
  readonly say: (text: string) => void;
  readonly later: (callback: () => void, ms: number) => void;
}

export class Announcer {
  readonly #parts: AnnouncerParts;
  /** The newest predicate of each endpoint. */
  readonly #waiting = new Map<string, string>();
  #isPaused = false;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** @param predicate such as `is down` */
  note(name: string, predicate: string): void {
    this.#waiting.set(name, predicate);
    if (!this.#isPaused) this.#speak();
  }

  #speak(): void {
    const changes = [...this.#waiting].map(([name, predicate]) => `${name} ${predicate}`);
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
