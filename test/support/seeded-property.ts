// Properties over seeds, for generated cases: fast-check draws the seeds and reports the one that fails. Thread: main.

import { assert as assertProperty, integer, property } from 'fast-check';
import { seededRandom, type Random } from '../../core/random.ts';

/** Seed of the draws; fixed, so that a run can be repeated. */
const SEED = 20_260_801;

/** Checks that `holds` doesn't throw, for `runs` sources of randomness. */
export function forSeeds(runs: number, holds: (random: Random) => void): void {
  assertProperty(
    property(integer(), (seed) => holds(seededRandom(seed))),
    { seed: SEED, numRuns: runs },
  );
}
