// Open requests and connections of each client, in shared memory. Each worker writes a row of its own with plain stores,
// and a count is the sum over all rows: a worker that dies takes its counts along, once its row is cleared. Thread: both.
//
// A row is set-associative, with 8 places for a key. A client that finds all of its places taken, which needs thousands of
// others with open requests or connections in one worker, is counted in that worker alone.

const SETS = 2 ** 12;
const WAYS = 8;
/** Words of a set: tags, and counts. */
const COUNT = WAYS;
const SET_WORDS = WAYS * 2;
/** Words of a row: 256 KiB. */
export const COUNT_WORDS = SETS * SET_WORDS;

export class ClientCounts {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #rows: number;
  readonly #own: number;
  /** Counts of keys without a place. */
  readonly #placeless = new Map<number, number>();

  /** @param base index of the first row in `words` @param worker the row that is written */
  constructor(words: Int32Array, base: number, rows: number, worker: number) {
    this.#words = words;
    this.#base = base;
    this.#rows = rows;
    this.#own = base + worker * COUNT_WORDS;
  }

  /** Empties the own row: the worker that had it has ended. */
  clear(): void {
    // Words that are 0 stay unwritten: their pages take no memory.
    for (let at = this.#own; at < this.#own + COUNT_WORDS; at += 1) if (this.#words[at] !== 0) this.#words[at] = 0;
  }

  /**
   * Adds 1 to the count of a key, unless it is `limit` already over all workers. Workers may overshoot it by one each.
   * @param low, high the hash of the key
   */
  add(low: number, high: number, limit: number): boolean {
    if (this.of(low, high) >= limit) return false;
    const place = this.#placeOf(this.#own, low, high, true);
    if (place >= 0) this.#words[place]! += 1;
    else this.#placeless.set(keyOf(low, high), this.#placelessOf(low, high) + 1);
    return true;
  }

  /** Takes back what `add` has added. */
  subtract(low: number, high: number): void {
    const placeless = this.#placelessOf(low, high);
    if (placeless > 1) this.#placeless.set(keyOf(low, high), placeless - 1);
    else if (placeless === 1) this.#placeless.delete(keyOf(low, high));
    else this.#subtractPlaced(low, high);
  }

  /** The count of a key over all workers. */
  of(low: number, high: number): number {
    let sum = this.#placelessOf(low, high);
    for (let row = 0; row < this.#rows; row += 1) {
      const place = this.#placeOf(this.#base + row * COUNT_WORDS, low, high, false);
      if (place >= 0) sum += this.#words[place]!;
    }
    return sum;
  }

  #subtractPlaced(low: number, high: number): void {
    const place = this.#placeOf(this.#own, low, high, false);
    if (place < 0 || this.#words[place]! <= 0) return;
    this.#words[place]! -= 1;
    if (this.#words[place] === 0) this.#words[place - COUNT] = 0;
  }

  #placelessOf(low: number, high: number): number {
    return this.#placeless.size === 0 ? 0 : (this.#placeless.get(keyOf(low, high)) ?? 0);
  }

  /** @returns index of the count; -1 where there is none, and none is free or `mayTake` is false */
  #placeOf(row: number, low: number, high: number, mayTake: boolean): number {
    const set = row + (low & (SETS - 1)) * SET_WORDS;
    const tag = high || 1;
    let free = -1;
    for (let place = set; place < set + WAYS; place += 1) {
      const found = this.#words[place]!;
      if (found === tag) return place + COUNT;
      if (found === 0 && free < 0) free = place;
    }
    if (!mayTake || free < 0) return -1;
    this.#words[free] = tag;
    return free + COUNT;
  }
}

/** Set and tag of a key in one number. */
function keyOf(low: number, high: number): number {
  return (low & (SETS - 1)) * 2 ** 32 + ((high || 1) >>> 0);
}
