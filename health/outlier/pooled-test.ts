// The comparison of an endpoint with the others of its upstream: two proportions, pooled over all the others
// (docs/algorithms.md 3.2, where it stands why not "mean minus 1.9 sigma"). Pure. Thread: main.

/** Counts of live traffic in one period. */
export interface Tally {
  readonly requests: number;
  readonly failures: number;
}

export interface PooledTestSettings {
  /** Fewer requests are no evidence about an endpoint. */
  readonly minRequests: number;
  /** Minimum excess of its failure ratio over the others', 0 to 1: relevance, beside significance. */
  readonly minGap: number;
  /** How far beyond chance the gap must be. */
  readonly sigmas: number;
}

export interface Outlier {
  /** In the list that was given. */
  readonly index: number;
  readonly tally: Tally;
  /** Of all the others together. */
  readonly others: Tally;
  /** The gap in standard deviations. */
  readonly sigmas: number;
}

/** Those that fail clearly more often than the others do, the worst first. */
export function findOutliers(tallies: readonly Tally[], settings: PooledTestSettings): Outlier[] {
  const requests = tallies.reduce((sum, tally) => sum + tally.requests, 0);
  const failures = tallies.reduce((sum, tally) => sum + tally.failures, 0);
  return tallies
    .map((tally, index) => {
      const others = { requests: requests - tally.requests, failures: failures - tally.failures };
      return { index, tally, others, ...compare(tally, others) };
    })
    .filter(({ tally, gap, sigmas }) => {
      return tally.requests >= settings.minRequests && gap >= settings.minGap && sigmas > settings.sigmas;
    })
    .sort((a, b) => b.gap - a.gap)
    .map(({ index, tally, others, sigmas }) => ({ index, tally, others, sigmas }));
}

/**
 * The gap between the shares of failures. Of the others one failure and one success more are assumed (Laplace), so
 * that a spotless few prove little. The deviation counts what is uncertain on both sides: with the endpoint's side
 * alone one that carries nearly all traffic is flagged whenever the few requests of the others happen to go well (28
 * false flags an hour at 20 % failures and a share of 98 %, against 0.2).
 */
function compare(tally: Tally, others: Tally): { gap: number; sigmas: number } {
  const otherRequests = others.requests + 2;
  const usual = (others.failures + 1) / otherRequests;
  const gap = tally.failures / Math.max(1, tally.requests) - usual;
  const variance = usual * (1 - usual) * (1 / Math.max(1, tally.requests) + 1 / otherRequests);
  return { gap, sigmas: gap / Math.sqrt(variance) };
}
