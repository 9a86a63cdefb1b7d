// How many requests a client's connection may have: spread, so that clients come back at different times. Thread: worker.

import type { Random } from '../../../core/random.ts';

const SPREAD = 0.1;

/** A limit on requests of one connection, up to 10 % fewer, so that clients that came together don't return together. */
export function jittered(limit: number, random: Random): number {
  if (limit === 0) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.round(limit * (1 - SPREAD * random.next())));
}
