// Decides whether a sampled quantity stays flat or grows. Thread: both.

/** Number of windows of a series. Each gives one value that a garbage collection or a burst does not move. */
const WINDOWS = 12;

export interface Trend {
  /** The value of each window. */
  readonly windows: readonly number[];
  /** Level of the first windows, in the quantity's unit. */
  readonly start: number;
  /** Slope times duration, from the first sample to the last. */
  readonly growth: number;
}

/**
 * Growth over a series by the median of the slopes between all pairs of windows (Theil 1950, Sen 1968): up to 29 % of the
 * windows may lie anywhere without moving it. Each window counts with its quantile `quantile`: a low one for a heap, whose
 * floor after collections is the retained memory.
 * @throws Error with fewer than 24 samples
 */
export function trendOf(samples: readonly number[], quantile: number): Trend {
  if (samples.length < 2 * WINDOWS) throw new Error(`${samples.length} samples say nothing about a trend`);
  const values = Array.from({ length: WINDOWS }, (_, window) => {
    const from = Math.floor((window * samples.length) / WINDOWS);
    const to = Math.floor(((window + 1) * samples.length) / WINDOWS);
    return quantileOf(samples.slice(from, to), quantile);
  });
  const slopes = values.flatMap((late, to) => values.slice(0, to).map((early, from) => (late - early) / (to - from)));
  return {
    windows: values,
    start: quantileOf(values.slice(0, 3), 0.5),
    growth: quantileOf(slopes, 0.5) * (WINDOWS - 1),
  };
}

/**
 * A series is flat when it grows by no more than is allowed, or has stopped growing: a leak reaches new maxima to the end.
 * @param allowed growth in the quantity's unit
 * @param allowedShare as a share of the start; the larger one of the two counts
 */
export function isFlat({ start, growth, windows }: Trend, allowed: number, allowedShare: number): boolean {
  return growth <= Math.max(allowed, start * allowedShare) || hasComeToRest(windows);
}

/** Whether the median of the last third is not above the earlier maximum. */
function hasComeToRest(windows: readonly number[]): boolean {
  const last = Math.floor((windows.length * 2) / 3);
  return windows.length > 0 && quantileOf(windows.slice(last), 0.5) <= Math.max(...windows.slice(0, last));
}

function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * quantile)]!;
}
