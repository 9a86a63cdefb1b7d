// Samples of the last four minutes of every endpoint for its charts, in rings, so that memory is bounded. Pure. Runs in the
// browser.

/** One sample a second: four minutes. */
export const SAMPLES = 240;

/** Times in seconds, then the values of each line. */
export type ChartData = [number[], ...(number | null)[][]];

export class RecentSamples {
  readonly #size: number;
  /** Number of samples so far. */
  #ticks = 0;
  readonly #times: Float64Array;
  /** NaN for unknown values. */
  readonly #rings = new Map<string, Float32Array>();

  /** @param size number of kept samples */
  constructor(size = SAMPLES) {
    this.#size = size;
    this.#times = new Float64Array(size);
  }

  /** Takes one sample of all figures by a key of the caller's. Figures without a value are dropped. */
  add(timeSeconds: number, values: ReadonlyMap<string, number | null>): void {
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

  /** Breaks all lines: no data arrived at that time. */
  addGap(timeSeconds: number): void {
    if (this.#ticks === 0) return;
    this.add(timeSeconds, new Map([...this.#rings.keys()].map((key) => [key, null])));
  }

  /** Times in seconds and a list of values per key, oldest first; null for unknown values. */
  read(...keys: string[]): ChartData {
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

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
