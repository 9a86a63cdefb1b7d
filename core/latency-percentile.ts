// Percentiles of the latency histograms in the lanes. Thread: both.

import { LATENCY_BOUNDS_MS } from './memory/lane-fields.ts';

/**
 * The latency in ms that the given share of observations did not exceed, interpolated within its bucket: at most 26 %
 * off. Null without observations. @param share in (0, 1]
 */
export function percentileMs(buckets: Float64Array, share: number): number | null {
  let total = 0;
  for (let i = 0; i < buckets.length; i++) total += buckets[i]!;
  if (!(total > 0)) return null;
  let rank = share * total;
  for (let i = 0; i < LATENCY_BOUNDS_MS.length; i++) {
    const count = buckets[i]!;
    if (count > 0 && rank <= count) {
      const lower = i === 0 ? 0 : LATENCY_BOUNDS_MS[i - 1]!;
      return lower + (LATENCY_BOUNDS_MS[i]! - lower) * (rank / count);
    }
    rank -= count;
  }
  return LATENCY_BOUNDS_MS.at(-1)!;
}
