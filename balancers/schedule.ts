// The precomputed order in which round robin visits weighted candidates. Thread: both.

import { coprimeStep, greatestCommonDivisor } from './coprime.ts';

/** An endless order with a period: every candidate has `weight` places of each period (weights without their common divisor). */
export interface Schedule {
  /** Places in one period. */
  readonly period: number;
  /** Index of the candidate at a place, 0 to period - 1. */
  indexAt(place: number): number;
}

/**
 * Most steps for building a smooth order (period times candidates): about 2 ms. Larger ones are walked by the golden
 * section, which needs no table and has the same exact shares, but not the familiar order.
 */
export const SMOOTH_STEPS_MAX = 1 << 20;

/**
 * Chooses the order for these weights.
 * @param weights integers of at least 1, at least one of them.
 */
export function scheduleFor(weights: Float64Array): Schedule {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  const reduced = weights.map((weight) => weight / divisor);
  const period = reduced.reduce((sum, weight) => sum + weight, 0);
  if (period === reduced.length) return { period, indexAt: (place) => place };
  return period * reduced.length <= SMOOTH_STEPS_MAX
    ? smoothSchedule(reduced, period)
    : spreadSchedule(reduced, period);
}

/**
 * nginx's smooth weighted round robin (docs/algorithms.md 1.1): each candidate gains its weight, and the one with the highest
 * balance is chosen and pays the sum of all weights. {5, 1, 1} gives A A B A C A A.
 */
function smoothSchedule(weights: Float64Array, period: number): Schedule {
  const order = new Uint32Array(period);
  const current = new Float64Array(weights.length);
  for (let place = 0; place < period; place++) {
    let richest = 0;
    for (let index = 0; index < weights.length; index++) {
      current[index]! += weights[index]!;
      if (current[index]! > current[richest]!) richest = index;
    }
    current[richest]! -= period;
    order[place] = richest;
  }
  return { period, indexAt: (place) => order[place]! };
}

/** Walks the line of all weights laid end to end in steps of its golden section, coprime to its length. */
function spreadSchedule(weights: Float64Array, period: number): Schedule {
  const step = coprimeStep(period);
  let sum = 0;
  const ends = weights.map((weight) => (sum += weight));
  return { period, indexAt: (place) => firstAbove(ends, (place * step) % period) };
}

/** Index of the first of the ascending `ends` that is above `point`. */
function firstAbove(ends: Float64Array, point: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > point) high = middle;
    else low = middle + 1;
  }
  return low;
}
