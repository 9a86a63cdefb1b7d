// Size of the tests that may be as long as one likes: `npm test` runs a short version of each, `npm run test:long` the
// whole. Thread: main.

/** Set by the runner's option --long. */
const IS_LONG = process.env['FAIRLEAD_TEST_LENGTH'] === 'long';

/** A count, a duration or a size: `short` in `npm test`, `long` in `npm run test:long`. */
export function shortOrLong(short: number, long: number): number {
  return IS_LONG ? long : short;
}
