// Exact confidence regions for shares, so that no test asserts "roughly half" (docs/algorithms.md 1.7). Thread: both.

/** Significance of share tests: with fixed seeds results are reproducible; the value sets the size of the region. */
export const ALPHA = 1e-4;

/** Bounds of the count of `n` draws with probability `p`, except in `alpha` of all cases (half on each side). */
export function binomialRegion(n: number, p: number, alpha: number = ALPHA): { low: number; high: number } {
  if (p <= 0) return { low: 0, high: 0 };
  if (p >= 1) return { low: n, high: n };
  const mode = Math.min(n, Math.floor((n + 1) * p));
  const odds = p / (1 - p);
  // Probabilities relative to the mode's, outwards until they are negligible.
  const below: number[] = [];
  const above: number[] = [];
  for (let k = mode, q = 1; k > 0 && q > 1e-18; k--) below.push((q *= k / ((n - k + 1) * odds)));
  for (let k = mode, q = 1; k < n && q > 1e-18; k++) above.push((q *= ((n - k) / (k + 1)) * odds));
  const total = 1 + sum(below) + sum(above);
  return {
    low: mode - reach(below, (alpha / 2) * total),
    high: mode + reach(above, (alpha / 2) * total),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Distance at which the tail has a probability of at most `mass`. */
function reach(outwards: readonly number[], mass: number): number {
  let tail = 0;
  let length = outwards.length;
  while (length > 0 && tail + outwards[length - 1]! <= mass) tail += outwards[--length]!;
  return length;
}

/** Probability of a chi-square at least as large as that of these counts, if `weights` were their true proportions. */
export function chiSquareProbability(counts: readonly number[], weights: readonly number[]): number {
  const total = sum(counts);
  const totalWeight = sum(weights);
  const statistic = sum(
    counts.map((count, index) => {
      const expected = (total * weights[index]!) / totalWeight;
      return (count - expected) ** 2 / expected;
    }),
  );
  return upperGamma((counts.length - 1) / 2, statistic / 2);
}

/** Regularised upper incomplete gamma function Q(a, x): series below a + 1, continued fraction (Lentz) above. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let series = term;
    for (let k = 1; term > series * 1e-16; k++) series += term *= x / (a + k);
    return 1 - front * series;
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < 10_000; k++) {
    const an = -k * (k - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** Logarithm of the gamma function by Stirling's series, after shifting the argument to where it is exact enough. */
function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 15) product *= shifted++;
  const inverse = 1 / shifted;
  const series = inverse * (1 / 12 - inverse ** 2 * (1 / 360 - inverse ** 2 / 1260));
  return (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

/** The value that a share of `q` of the numbers doesn't exceed (nearest rank). */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]!;
}
