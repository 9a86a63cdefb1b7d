// Steps that visit every place of a circle once, evenly spread. Thread: both.

const GOLDEN_SECTION = 0.618_033_988_749_894_9;

/** The smallest number coprime to `size` from its golden section upwards; 1 for sizes below 3. */
export function coprimeStep(size: number): number {
  if (size < 3) return 1;
  let step = Math.floor(size * GOLDEN_SECTION);
  while (greatestCommonDivisor(step, size) !== 1) step++;
  return step;
}

/** Euclid's algorithm, for non-negative integers; of 0 and n it is n. */
export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
