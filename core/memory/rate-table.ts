// Rates of clients in shared memory, by the generic cell rate algorithm (GCRA): an entry holds the theoretical arrival
// time (TAT), by which all requests so far conform to the rate. A request moves it by one interval, and conforms unless it
// is further ahead of the clock than the burst allows. One compare-and-swap per request, exact over all workers.
// Thread: both.
//
// The table is set-associative: a key has 8 places, by its keyed hash, so that no client can choose whom it displaces. An
// entry whose TAT has passed says nothing and is free. Where all 8 places are in use the one whose TAT is nearest gives way:
// a client that is at its limit is the last to be forgotten.

const SETS = 2 ** 18;
const WAYS = 8;
/** Words of a set: tags, TATs, and stamps. */
const TAT = WAYS;
const STAMP = WAYS * 2;
const SET_WORDS = WAYS * 3;
/** Words of the table: 24 MiB, of which only those are backed by memory that were used. */
export const RATE_WORDS = SETS * SET_WORDS;

/** A tag is 27 bits of the hash, and the exponent of the entry's unit. */
const EXPONENT_BITS = 31;
const TAG_BITS = ~EXPONENT_BITS;
/** A TAT is at most this many units ahead of the clock. */
const MOST_AHEAD = 2 ** 28;
/**
 * The same for a thread that was suspended since it read the clock: 0.27 s at least. Beyond it the word is an old one that
 * has wrapped: one that isn't stale has passed by 3.3 s at most, and is read as 2 ** 29.9 units or more.
 */
const MOST_READ = 2 ** 29;
const NS_PER_MS = 1e6;

/** A rate in units of 2 ** exponent nanoseconds, such that TATs fit 32 bits that wrap. */
export interface Rate {
  readonly exponent: number;
  readonly unitMs: number;
  /** Of one request, and of a full burst beyond the first request. */
  readonly interval: number;
  readonly tolerance: number;
  /** Delay that a request may have. */
  readonly delay: number;
}

/**
 * @param intervalMs between two requests at the rate
 * @param burst requests that may be sent at once, at least 1
 * @param delayMs longest time that a request may be held back
 */
export function rateOf(intervalMs: number, burst: number, delayMs: number): Rate {
  const intervalNs = intervalMs * NS_PER_MS;
  const aheadNs = (burst + 1) * intervalNs + delayMs * NS_PER_MS;
  const exponent = Math.max(0, Math.ceil(Math.log2(aheadNs / MOST_AHEAD)));
  const interval = Math.max(1, Math.round(intervalNs / 2 ** exponent));
  const delay = Math.round((delayMs * NS_PER_MS) / 2 ** exponent);
  return { exponent, unitMs: 2 ** exponent / NS_PER_MS, interval, tolerance: (burst - 1) * interval, delay };
}

export class RateTable {
  /** After `take`: requests that would conform now, and ms until a full burst would. */
  left = 0;
  fullMs = 0;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #evictions: number;

  /** @param base index of the table in `words` @param evictions index of a word that counts forgotten keys */
  constructor(words: Int32Array, base: number, evictions: number) {
    this.#words = words;
    this.#base = base;
    this.#evictions = evictions;
  }

  /**
   * Counts a request of a key, unless it exceeds the rate even with the delay.
   * @param low, high the hash of the key
   * @returns ms until it conforms: 0 at once, up to the delay if it was counted, more if it was not
   */
  take(low: number, high: number, rate: Rate, nowMs: number): number {
    const { unitMs } = rate;
    const now = Math.floor(nowMs / unitMs) | 0;
    const tag = tagOf(high, rate.exponent);
    const nowS = Math.floor(nowMs / 1000) | 0;
    const words = this.#words;
    const set = this.#base + (low & (SETS - 1)) * SET_WORDS;
    for (;;) {
      const way = this.#wayOf(set, tag, nowMs, nowS);
      const tat = Atomics.load(words, set + TAT + way);
      // After the TAT: a stamp that is too old proves that the TAT is, and never that of a request in another worker.
      if (isStale(Atomics.load(words, set + STAMP + way), nowS, rate.exponent)) {
        if (Atomics.compareExchange(words, set + TAT + way, tat, now) === tat) {
          Atomics.store(words, set + STAMP + way, nowS);
        }
        continue;
      }
      const ahead = aheadOf(tat, now);
      const wait = ahead - rate.tolerance;
      if (wait > rate.delay) return this.#refuse(ahead, rate);
      const next = (now + ahead + rate.interval) | 0;
      if (Atomics.compareExchange(words, set + TAT + way, tat, next) !== tat) continue;
      if (words[set + STAMP + way] !== nowS) Atomics.store(words, set + STAMP + way, nowS);
      this.left = Math.max(0, Math.floor((rate.tolerance - ahead) / rate.interval));
      this.fullMs = (ahead + rate.interval) * unitMs;
      return Math.max(0, wait * unitMs);
    }
  }

  /** Time in ms until a request of a key would conform; counts none. */
  peek(low: number, high: number, rate: Rate, nowMs: number): number {
    const set = this.#base + (low & (SETS - 1)) * SET_WORDS;
    const way = this.#find(set, tagOf(high, rate.exponent));
    if (way < 0) return 0;
    const tat = Atomics.load(this.#words, set + TAT + way);
    const stampS = Atomics.load(this.#words, set + STAMP + way);
    if (isStale(stampS, Math.floor(nowMs / 1000) | 0, rate.exponent)) return 0;
    const ahead = aheadOf(tat, Math.floor(nowMs / rate.unitMs) | 0);
    return Math.max(0, (ahead - rate.tolerance) * rate.unitMs);
  }

  #refuse(ahead: number, { tolerance, unitMs }: Rate): number {
    this.left = 0;
    this.fullMs = ahead * unitMs;
    return (ahead - tolerance) * unitMs;
  }

  #find(set: number, tag: number): number {
    for (let way = 0; way < WAYS; way += 1) if (this.#words[set + way] === tag) return way;
    return -1;
  }

  /** The place of a key, which is given one if it has none. */
  #wayOf(set: number, tag: number, nowMs: number, nowS: number): number {
    for (;;) {
      const known = this.#find(set, tag);
      if (known >= 0) return known;
      const way = this.#victimOf(set, nowMs, nowS);
      const before = Atomics.load(this.#words, set + way);
      // Two workers that see a key at once choose the same place, and the second one finds it taken.
      if (before === tag) return way;
      const tat = Atomics.load(this.#words, set + TAT + way);
      const isLive = before !== 0 && this.#aheadMs(set, way, nowMs, nowS) > 0;
      if (Atomics.compareExchange(this.#words, set + way, before, tag) !== before) continue;
      // Another worker may have given the key an earlier place since it was looked for: that one counts.
      const first = this.#find(set, tag);
      if (first !== way) {
        Atomics.compareExchange(this.#words, set + way, tag, 0);
        return first;
      }
      if (isLive) Atomics.add(this.#words, this.#evictions, 1);
      const now = Math.floor((nowMs * NS_PER_MS) / 2 ** (tag & EXPONENT_BITS)) | 0;
      Atomics.compareExchange(this.#words, set + TAT + way, tat, now);
      Atomics.store(this.#words, set + STAMP + way, nowS);
      return way;
    }
  }

  /** The first place that is free, or else the one whose TAT is nearest. */
  #victimOf(set: number, nowMs: number, nowS: number): number {
    let [victim, leastMs] = [0, Number.POSITIVE_INFINITY];
    for (let way = 0; way < WAYS; way += 1) {
      const aheadMs = this.#words[set + way] === 0 ? 0 : this.#aheadMs(set, way, nowMs, nowS);
      if (aheadMs <= 0) return way;
      if (aheadMs < leastMs) [victim, leastMs] = [way, aheadMs];
    }
    return victim;
  }

  /** How far the TAT of any key is ahead of the clock; 0 or less where it says nothing. */
  #aheadMs(set: number, way: number, nowMs: number, nowS: number): number {
    const exponent = this.#words[set + way]! & EXPONENT_BITS;
    if (isStale(this.#words[set + STAMP + way]!, nowS, exponent)) return 0;
    const unitMs = 2 ** exponent / NS_PER_MS;
    return aheadOf(this.#words[set + TAT + way]!, Math.floor(nowMs / unitMs) | 0) * unitMs;
  }
}

/** Never 0, which is the tag of an empty place. */
function tagOf(high: number, exponent: number): number {
  return (high & TAG_BITS || TAG_BITS) | exponent;
}

/** Units by which a TAT is ahead of the clock; 0 where it has passed. Both wrap. */
function aheadOf(tat: number, now: number): number {
  const ahead = (tat - now) | 0;
  return ahead > 0 && ahead <= MOST_READ ? ahead : 0;
}

/** Whether an entry was last used so long ago that its TAT has passed, and may have wrapped since. */
function isStale(stampS: number, nowS: number, exponent: number): boolean {
  return Math.abs(nowS - stampS) > (MOST_AHEAD * 2 ** exponent) / 1e9 + 2;
}
