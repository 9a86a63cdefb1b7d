// Delay before a dead worker or generation is replaced: 50 ms the first time, doubled up to 10 s while it keeps dying.
// Thread: main.

const FIRST_DELAY_MS = 50;
const MOST_DELAY_MS = 10_000;
/** After this time the next death counts as the first again. */
const GOOD_LIFE_MS = 60_000;

export class RestartPolicy {
  #deaths = 0;

  /** Delay in ms before the next start. @param livedMs lifetime of the one that died */
  delayAfter(livedMs: number): number {
    this.#deaths = livedMs >= GOOD_LIFE_MS ? 1 : this.#deaths + 1;
    return Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#deaths - 1));
  }
}
