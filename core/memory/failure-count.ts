// Failures of an endpoint in a row, in one shared word: the count in the low 14 bits, and above it a set of the sources
// (client and route) that were counted, so that one client or one URL counts once. Reset to 0 by a success.
// Thread: both.

const COUNT_BITS = 14;
const MAX_COUNT = (1 << COUNT_BITS) - 1;
const SOURCE_BITS = 32 - COUNT_BITS;

/** The failures that a word counts. */
export function failuresIn(word: number): number {
  return word & MAX_COUNT;
}

/**
 * Counts a failure. Returns the new count, or 0 where a failure of the same source was counted already.
 * @param source hash of the source. Two sources may share one of 18 bits: then the second one isn't counted, and an
 *   ejection comes a failure or two later.
 */
export function countFailureOf(words: Int32Array, index: number, source: number): number {
  const bit = 1 << (COUNT_BITS + ((source >>> 0) % SOURCE_BITS));
  for (;;) {
    const word = Atomics.load(words, index);
    if ((word & bit) !== 0) return 0;
    const count = Math.min(MAX_COUNT, failuresIn(word) + 1);
    if (Atomics.compareExchange(words, index, word, (word & ~MAX_COUNT) | bit | count) === word) return count;
  }
}

/** Counts a failure whatever its source. Returns the new count. */
export function countAnyFailure(words: Int32Array, index: number): number {
  for (;;) {
    const word = Atomics.load(words, index);
    const count = Math.min(MAX_COUNT, failuresIn(word) + 1);
    if (Atomics.compareExchange(words, index, word, (word & ~MAX_COUNT) | count) === word) return count;
  }
}
