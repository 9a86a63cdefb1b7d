// Requests of a seed, the same for every proxy. Pure. Thread: main.

import { randomBelow, seededRandom } from '../../core/random.ts';
import type { Arrival } from './plan.ts';

/** Keeps the requests of a seed independent of its faults. */
const SEED_OFFSET = 0x5eed;
const LARGEST_BODY_BYTES = 2048;
const ALONE_SHARE = 0.05;

export interface ArrivalSettings {
  readonly seed: number;
  readonly durationMs: number;
  /** Requests per second, on average: gaps between them are exponential (a Poisson process). */
  readonly rate: number;
  readonly postShare: number;
  /** Work of a request in ms, from a uniform draw. */
  readonly workMs: (draw: number) => number;
}

/** Returns the requests in order of time. */
export function arrivalsOf({ seed, durationMs, rate, postShare, workMs }: ArrivalSettings): readonly Arrival[] {
  const random = seededRandom(seed + SEED_OFFSET);
  const arrivals: Arrival[] = [];
  let atMs = 0;
  for (;;) {
    atMs += -Math.log(1 - random.next()) * (1000 / rate);
    if (atMs >= durationMs) return arrivals;
    const isPost = random.next() < postShare;
    arrivals.push({
      id: `${isPost ? 'p' : 'g'}${seed}-${arrivals.length}`,
      atMs,
      method: isPost ? 'POST' : 'GET',
      workMs: workMs(random.next()),
      bodyBytes: isPost ? randomBelow(random, LARGEST_BODY_BYTES) : 0,
      isAlone: random.next() < ALONE_SHARE,
    });
  }
}

/** One or two milliseconds with equal probability. */
export const SHORT_WORK = (draw: number): number => (draw < 0.5 ? 1 : 2);

/** Exponential with a mean, as in the models of docs/algorithms.md 1. */
export function exponentialWork(meanMs: number): (draw: number) => number {
  return (draw) => -Math.log(1 - draw) * meanMs;
}
