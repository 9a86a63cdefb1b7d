// How fast each endpoint usually answers, as this worker sees it, and when an answer is overdue: a stopped process
// accepts connections and says nothing. Thread: worker.

/** An answer is never called overdue before this: garbage collection of either side takes as long. */
const LEAST_OVERDUE_MS = 100;
/** As TCP's retransmission timer (RFC 6298): smoothed time plus a multiple of its deviation, but more patient. */
const DEVIATIONS = 8;
const TIMES = 4;
const GAIN = 1 / 8;
/** Hedges that an endpoint has lost in a row, without having answered anything in between. */
const LOST_HEDGES = 3;

/** By slot. Worker-local: plain numbers, no sharing. */
export class LatencyBaselines {
  readonly #typicalMs: Float64Array;
  readonly #deviationMs: Float64Array;
  readonly #lostHedges: Int32Array;

  constructor(slots: number) {
    this.#typicalMs = new Float64Array(slots);
    this.#deviationMs = new Float64Array(slots);
    this.#lostHedges = new Int32Array(slots);
  }

  /** An endpoint answered after `ms`. */
  answered(slot: number, ms: number): void {
    this.#lostHedges[slot] = 0;
    const typical = this.#typicalMs[slot]!;
    if (typical === 0) {
      this.#typicalMs[slot] = Math.max(ms, 0.01);
      this.#deviationMs[slot] = ms / 2;
      return;
    }
    this.#deviationMs[slot]! += GAIN * (Math.abs(ms - typical) - this.#deviationMs[slot]!);
    this.#typicalMs[slot] = typical + GAIN * (ms - typical);
  }

  /** The time in ms after which an answer is overdue; Infinity while nothing is known of the endpoint. */
  overdueMs(slot: number): number {
    const typical = this.#typicalMs[slot]!;
    if (typical === 0) return Infinity;
    return Math.max(LEAST_OVERDUE_MS, typical * TIMES, typical + DEVIATIONS * this.#deviationMs[slot]!);
  }

  /** A hedge elsewhere was faster. Returns whether the endpoint has lost so many in a row that it looks stopped. */
  lostHedge(slot: number): boolean {
    this.#lostHedges[slot]!++;
    return this.#lostHedges[slot]! >= LOST_HEDGES;
  }
}
