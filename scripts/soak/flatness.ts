// Whether a quantity that was sampled over time stays flat, or grows. Thread: both.

/** Windows that a series is cut into: each gives one value that a collection of garbage or a burst doesn't move. */
const WINDOWS = 12;

export interface Trend {
  /** What each window gave. */
  readonly windows: readonly number[];
  /** Of the first windows, in the quantity's unit. */
  readonly start: number;
  /** By the slope, from the first sample to the last one. */
  readonly growth: number;
}

/**
 * Growth over a series by the median of the slopes between all pairs of windows (Theil 1950, Sen 1968): up to 29 % of the
 * windows may lie anywhere without moving it. Of each window the quantile `quantile` counts: a low one for a heap, whose
 * floor after collections is what is kept.
 * @throws Error where there are fewer than 24 samples
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
 * Flat is what grows by no more than is allowed, or has come to rest: a leak sets records to the end.
 * @param allowed growth in the quantity's unit
 * @param allowedShare as a share of the start; the larger one of the two counts
 */
export function isFlat({ start, growth, windows }: Trend, allowed: number, allowedShare: number): boolean {
  return growth <= Math.max(allowed, start * allowedShare) || hasComeToRest(windows);
}

/** Whether the last third is, by its median, not above what was reached before it. */
function hasComeToRest(windows: readonly number[]): boolean {
  const last = Math.floor((windows.length * 2) / 3);
  return windows.length > 0 && quantileOf(windows.slice(last), 0.5) <= Math.max(...windows.slice(0, last));
}

function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * quantile)]!;
}
