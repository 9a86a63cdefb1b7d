// Converts the fine latency buckets to a coarser histogram for Prometheus. Thread: main.

import { LATENCY_BOUNDS_MS } from '../../core/memory/lane-fields.ts';

/** Bounds per decade in the coarse histogram. */
const COARSE_STEPS = [1, 2.5, 5];
/** Indexes of the fine bounds that are coarse bounds too: 0.1 ms, 0.25, 0.5, 1 ... 100 s. */
const COARSE_INDEXES: readonly number[] = LATENCY_BOUNDS_MS.flatMap((bound, index) => {
  const mantissa = Number((bound / 10 ** Math.floor(Math.log10(bound))).toPrecision(3));
  return COARSE_STEPS.includes(mantissa) ? [index] : [];
});

/** One `le` of a Prometheus histogram: the count of values up to the bound. */
export interface CoarseBucket {
  readonly leSeconds: number;
  readonly count: number;
}

/** Cumulative buckets; the last bound is infinite, with the total count. */
export function coarseHistogram(buckets: Float64Array): CoarseBucket[] {
  const coarse: CoarseBucket[] = [];
  let count = 0;
  let from = 0;
  for (const index of COARSE_INDEXES) {
    for (; from <= index; from++) count += buckets[from]!;
    coarse.push({ leSeconds: Number((LATENCY_BOUNDS_MS[index]! / 1000).toPrecision(3)), count });
  }
  for (; from < buckets.length; from++) count += buckets[from]!;
  return [...coarse, { leSeconds: Number.POSITIVE_INFINITY, count }];
}
