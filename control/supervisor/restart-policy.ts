// How soon a dead worker is replaced: at once the first time, later and later while it keeps dying. Thread: main.

const FIRST_DELAY_MS = 50;
const MOST_DELAY_MS = 10_000;
/** A worker that lived this long had a good start: its next death counts as the first. */
const GOOD_LIFE_MS = 60_000;

export class RestartPolicy {
  #deaths = 0;

  /** Delay in ms before the next start, after a worker died that had lived for `livedMs`. */
  delayAfter(livedMs: number): number {
    this.#deaths = livedMs >= GOOD_LIFE_MS ? 1 : this.#deaths + 1;
    return Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#deaths - 1));
  }
}
