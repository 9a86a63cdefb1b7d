// Recent samples of every figure for the charts, in rings, so that memory is bounded. Pure. Runs in the browser.

/** One sample a second: four minutes. */
export const SAMPLES = 240;

export class History {
  #size;
  /** Number of samples so far. */
  #ticks = 0;
  #times;
  /** @type {Map<string, Float32Array>} NaN for unknown values */
  #rings = new Map();

  /** @param {number} [size] number of kept samples */
  constructor(size = SAMPLES) {
    this.#size = size;
    this.#times = new Float64Array(size);
  }

  /**
   * Takes one sample of all figures. Figures without a value are dropped.
   * @param {number} timeSeconds
   * @param {ReadonlyMap<string, number | null>} values by a key of the caller's
   */
  add(timeSeconds, values) {
    const at = this.#ticks % this.#size;
    this.#times[at] = timeSeconds;
    this.#ticks++;
    for (const key of this.#rings.keys()) if (!values.has(key)) this.#rings.delete(key);
    for (const [key, value] of values) {
      let ring = this.#rings.get(key);
      if (ring === undefined) {
        ring = new Float32Array(this.#size).fill(Number.NaN);
        this.#rings.set(key, ring);
      }
      ring[at] = value ?? Number.NaN;
    }
  }

  /** Breaks all lines: no data arrived at that time. @param {number} timeSeconds */
  addGap(timeSeconds) {
    if (this.#ticks === 0) return;
    this.add(timeSeconds, new Map([...this.#rings.keys()].map((key) => [key, null])));
  }

  /**
   * Times in seconds and a list of values per key, oldest first; null for unknown values.
   * @param {readonly string[]} keys
   * @returns {[number[], ...(number | null)[][]]}
   */
  read(...keys) {
    const length = Math.min(this.#ticks, this.#size);
    const from = this.#ticks - length;
    const places = Array.from({ length }, (_, index) => (from + index) % this.#size);
    const lists = keys.map((key) => {
      const ring = this.#rings.get(key);
      return places.map((place) => known(ring?.[place]));
    });
    return [places.map((place) => this.#times[place] ?? 0), ...lists];
  }
}

/** @param {number | undefined} value */
function known(value) {
  return value === undefined || Number.isNaN(value) ? null : value;
}
