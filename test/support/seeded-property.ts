// Properties over seeds: fast-check draws the seeds and names the one that fails. For cases that are made by code.

import { assert as assertProperty, integer, property } from 'fast-check';
import { seededRandom, type Random } from '../../core/random.ts';

/** Of the draws; fixed, so that a run can be repeated. */
const SEED = 20_260_801;

/** Checks that `holds` doesn't throw, for `runs` sources of randomness. */
export function forSeeds(runs: number, holds: (random: Random) => void): void {
  assertProperty(
    property(integer(), (seed) => holds(seededRandom(seed))),
    { seed: SEED, numRuns: runs },
  );
}
