// Latency baselines: how fast each endpoint usually answers, as this worker sees it, and what it means when a response
// is overdue. A stopped process accepts connections and answers nothing; a slow URL is slow while others are answered.
// Thread: worker.

/** As TCP's retransmission timer (RFC 6298): smoothed time plus a multiple of its deviation, but more patient. */
const DEVIATIONS = 8;
const TIMES = 4;
const GAIN = 1 / 8;
/** Hedges that an endpoint has lost in a row, without having answered anything in between. */
const LOST_HEDGES = 3;
/**
 * Slow URLs raise the overdue time for a while, up to this: detection of a stopped process must stay fast. Beyond it a
 * slow response is recognised by the others that the endpoint answers meanwhile.
 */
const MAX_LEARNED_MS = 1_000;
const LEARNED_TIMES = 1.25;
const HALF_LIFE_MS = 60_000;
const DECAY_MS = 1_000;
/** Overdue requests without any answer in between that make an endpoint stalled. One may be a slow URL. */
const WITNESSES = 2;
/** A heartbeat takes about as long: more reports would change nothing. */
const SILENCE_MS = 100;

/**
 * `slow`: the endpoint answered others since the request was sent, so it lives. `silent`: it answered nothing since, but
 * nobody else waits. `stalled`: several requests wait and it answers none.
 */
export type Overdue = 'slow' | 'silent' | 'stalled';

/** By slot. Worker-local: plain numbers, no sharing. */
export class LatencyBaselines {
  readonly #typicalMs: Float64Array;
  readonly #deviationMs: Float64Array;
  /** The slowest answer of an endpoint that lived, decayed until `#learnedAtMs`. */
  readonly #learnedMs: Float64Array;
  readonly #learnedAtMs: Float64Array;
  readonly #respondedMs: Float64Array;
  /** Overdue requests since the last response. */
  readonly #witnesses: Int32Array;
  readonly #lostHedges: Int32Array;
  /** When the endpoint was last reported as silent. */
  readonly #silentMs: Float64Array;

  constructor(slots: number) {
    this.#typicalMs = new Float64Array(slots);
    this.#deviationMs = new Float64Array(slots);
    this.#learnedMs = new Float64Array(slots);
    this.#learnedAtMs = new Float64Array(slots);
    this.#respondedMs = new Float64Array(slots).fill(Number.NEGATIVE_INFINITY);
    this.#witnesses = new Int32Array(slots);
    this.#lostHedges = new Int32Array(slots);
    this.#silentMs = new Float64Array(slots).fill(Number.NEGATIVE_INFINITY);
  }

  /** Drops everything known of a slot: it has another endpoint. */
  forget(slot: number): void {
    this.#typicalMs[slot] = 0;
    this.#deviationMs[slot] = 0;
    this.#learnedMs[slot] = 0;
    this.#learnedAtMs[slot] = 0;
    this.#respondedMs[slot] = Number.NEGATIVE_INFINITY;
    this.#witnesses[slot] = 0;
    this.#lostHedges[slot] = 0;
    this.#silentMs[slot] = Number.NEGATIVE_INFINITY;
  }

  /** Records a response head of any status. */
  responded(slot: number, nowMs: number): void {
    this.#respondedMs[slot] = nowMs;
    this.#witnesses[slot] = 0;
    this.#lostHedges[slot] = 0;
  }

  /** Records the latency of a good response. Call it before `responded`. */
  answered(slot: number, ms: number, nowMs: number): void {
    const typical = this.#typicalMs[slot]!;
    if (typical === 0) {
      this.#typicalMs[slot] = Math.max(ms, 0.01);
      this.#deviationMs[slot] = ms / 2;
      return;
    }
    if (this.hasRespondedSince(slot, nowMs - ms) && ms > this.#learnedAt(slot, nowMs)) {
      this.#learnedMs[slot] = Math.min(ms, MAX_LEARNED_MS);
      this.#learnedAtMs[slot] = nowMs;
    }
    this.#deviationMs[slot]! += GAIN * (Math.abs(ms - typical) - this.#deviationMs[slot]!);
    this.#typicalMs[slot] = typical + GAIN * (ms - typical);
  }

  /**
   * The time in ms after which a response is overdue; Infinity while nothing is known of the endpoint.
   * @param leastMs never sooner; 0 turns the judgement off
   */
  overdueMs(slot: number, leastMs: number, nowMs: number): number {
    const typical = this.#typicalMs[slot]!;
    if (typical === 0 || leastMs === 0) return Infinity;
    const usual = Math.max(typical * TIMES, typical + DEVIATIONS * this.#deviationMs[slot]!);
    return Math.max(leastMs, usual, LEARNED_TIMES * this.#learnedAt(slot, nowMs));
  }

  /** Whether the endpoint has answered anything to this worker after `sinceMs`. */
  hasRespondedSince(slot: number, sinceMs: number): boolean {
    return this.#respondedMs[slot]! > sinceMs;
  }

  /** Judges an overdue response. @param livedSince whether the endpoint answered anybody since the request was sent */
  judgeOverdue(slot: number, livedSince: boolean): Overdue {
    if (livedSince) return 'slow';
    this.#witnesses[slot]!++;
    return this.#witnesses[slot]! >= WITNESSES ? 'stalled' : 'silent';
  }

  /** Whether main is to check the endpoint now: once per SILENCE_MS, however many requests wait. */
  mayReportSilence(slot: number, nowMs: number): boolean {
    if (nowMs - this.#silentMs[slot]! < SILENCE_MS) return false;
    this.#silentMs[slot] = nowMs;
    return true;
  }

  /** A hedge elsewhere was faster. Returns whether the endpoint has lost so many in a row that it looks stopped. */
  lostHedge(slot: number): boolean {
    this.#lostHedges[slot]!++;
    return this.#lostHedges[slot]! >= LOST_HEDGES;
  }

  /** The slowest time, decayed. Computed at most once per DECAY_MS: a power costs more than the rest of the judgement. */
  #learnedAt(slot: number, nowMs: number): number {
    const ageMs = nowMs - this.#learnedAtMs[slot]!;
    if (ageMs > DECAY_MS && this.#learnedMs[slot] !== 0) {
      this.#learnedMs[slot]! *= 2 ** (-ageMs / HALF_LIFE_MS);
      this.#learnedAtMs[slot] = nowMs;
    }
    return this.#learnedMs[slot]!;
  }
}
