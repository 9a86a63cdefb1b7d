// Latency baselines of endpoints, as this worker sees them: how long responses usually take, and when an endpoint seems to
// have stopped: a stopped process accepts connections and sends nothing. Thread: worker.

/** A response is never overdue before this: a garbage collection on either side takes as long. */
const MIN_OVERDUE_MS = 100;
/** As TCP's retransmission timer (RFC 6298): smoothed time plus a multiple of its deviation, but more patient. */
const DEVIATIONS = 8;
const TIMES = 4;
const GAIN = 1 / 8;
/** The slowest recent response counts this many times, so that a slow URL is no surprise the second time. */
const PEAK_TIMES = 2;
const PEAK_HALF_LIFE_MS = 60_000;
/** Requests that must be overdue with no response of the endpoint in between: one alone is a slow request. */
const OVERDUE_REQUESTS = 2;
/** Hedges that an endpoint has lost in a row, without any response in between. */
const LOST_HEDGES = 3;

/** By slot. Worker-local: plain numbers, no sharing. */
export class LatencyBaselines {
  readonly #typicalMs: Float64Array;
  readonly #deviationMs: Float64Array;
  readonly #peakMs: Float64Array;
  /** Monotonic ms of the peak, from which it decays. */
  readonly #peakAtMs: Float64Array;
  readonly #overdueRequests: Int32Array;
  readonly #lostHedges: Int32Array;

  constructor(slots: number) {
    this.#typicalMs = new Float64Array(slots);
    this.#deviationMs = new Float64Array(slots);
    this.#peakMs = new Float64Array(slots);
    this.#peakAtMs = new Float64Array(slots);
    this.#overdueRequests = new Int32Array(slots);
    this.#lostHedges = new Int32Array(slots);
  }

  /** Records a response head of any status: the endpoint is alive. */
  responded(slot: number): void {
    this.#overdueRequests[slot] = 0;
    this.#lostHedges[slot] = 0;
  }

  /** Records a good response after `ms`. @param nowMs monotonic ms */
  answered(slot: number, ms: number, nowMs: number): void {
    this.responded(slot);
    if (ms >= this.#peakNow(slot, nowMs)) {
      this.#peakMs[slot] = ms;
      this.#peakAtMs[slot] = nowMs;
    }
    const typical = this.#typicalMs[slot]!;
    if (typical === 0) {
      this.#typicalMs[slot] = Math.max(ms, 0.01);
      this.#deviationMs[slot] = ms / 2;
      return;
    }
    this.#deviationMs[slot]! += GAIN * (Math.abs(ms - typical) - this.#deviationMs[slot]!);
    this.#typicalMs[slot] = typical + GAIN * (ms - typical);
  }

  /** The time in ms after which a response is overdue; Infinity before the endpoint's first response. */
  overdueMs(slot: number, nowMs: number): number {
    const typical = this.#typicalMs[slot]!;
    if (typical === 0) return Infinity;
    const usual = Math.max(typical * TIMES, typical + DEVIATIONS * this.#deviationMs[slot]!);
    return Math.max(MIN_OVERDUE_MS, usual, PEAK_TIMES * this.#peakNow(slot, nowMs));
  }

  /**
   * Records a request that has become overdue. Returns whether the endpoint seems to have stopped: several requests are
   * overdue, and it has responded to none in between.
   */
  becameOverdue(slot: number): boolean {
    this.#overdueRequests[slot]!++;
    return this.#overdueRequests[slot]! >= OVERDUE_REQUESTS;
  }

  /** Records a hedge that was faster. Returns whether the endpoint has lost so many in a row that it seems stopped. */
  lostHedge(slot: number): boolean {
    this.#lostHedges[slot]!++;
    return this.#lostHedges[slot]! >= LOST_HEDGES;
  }

  /** The slowest recent response: halves every minute. */
  #peakNow(slot: number, nowMs: number): number {
    const peak = this.#peakMs[slot]!;
    return peak === 0 ? 0 : peak * 0.5 ** Math.floor((nowMs - this.#peakAtMs[slot]!) / PEAK_HALF_LIFE_MS);
  }
}
