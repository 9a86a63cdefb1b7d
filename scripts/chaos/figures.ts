// Figures of one run as its clients saw it. Pure. Thread: main.

import { type Blame, blameOf, wasUnderWay } from './attribution.ts';
import { byRequest, doubledPosts, type LedgerEntry } from './ledger.ts';
import { lagMs, latencyMs, type Outcome } from './outcome.ts';
import type { Fault } from './plan.ts';

/** In milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Figures {
  readonly requests: number;
  readonly failedGets: number;
  readonly failedPosts: number;
  /** The ones among them that were in flight when a process was killed. */
  readonly failedPostsUnderWay: number;
  readonly doubledPosts: number;
  /** Of 1. */
  readonly availability: number;
  readonly ofSuccesses: Percentiles;
  readonly ofAll: Percentiles;
  /** Requests that reached endpoints, with retries and hedges, per client request. */
  readonly attemptsPerRequest: number;
  /** Failed requests by fault, such as "GET kill". */
  readonly failedBy: Readonly<Record<string, number>>;
  /** Requests slower than SLOW_MS by fault. */
  readonly slowBy: Readonly<Record<string, number>>;
  /** Failed requests by the client's observation. */
  readonly failures: Readonly<Record<string, number>>;
  /** Share of the requests at each endpoint. */
  readonly shares: readonly number[];
  /** Scheduled time of the last failed request in ms after the start of the load; 0 when none failed. */
  readonly lastFailureMs: number;
  /** Lateness of the client itself: the machine's fault, not the proxy's. */
  readonly lag: Percentiles;
}

/** Requests above this count as slow, in ms: the goal for p99.9. */
export const SLOW_MS = 150;

export interface Observations {
  readonly outcomes: readonly Outcome[];
  readonly ledger: readonly LedgerEntry[];
  readonly faults: readonly Fault[];
  /** How many there were. */
  readonly endpoints: number;
}

export function figuresOf({ outcomes, ledger, faults, endpoints }: Observations): Figures {
  const failed = outcomes.filter(({ failure }) => failure !== null);
  const slow = outcomes.filter((outcome) => latencyMs(outcome) > SLOW_MS);
  const entries = byRequest(ledger);
  const blame = (outcome: Outcome): Blame => blameOf(outcome, entries.get(outcome.arrival.id) ?? [], faults);
  const posts = failed.filter(({ arrival }) => arrival.method === 'POST');
  return {
    requests: outcomes.length,
    failedGets: failed.length - posts.length,
    failedPosts: posts.length,
    failedPostsUnderWay: posts.filter((outcome) => wasUnderWay(outcome, faults)).length,
    doubledPosts: doubledPosts(ledger).length,
    availability: 1 - failed.length / outcomes.length,
    ofSuccesses: percentilesOf(outcomes.filter(({ failure }) => failure === null).map(latencyMs)),
    ofAll: percentilesOf(outcomes.map(latencyMs)),
    attemptsPerRequest: ledger.length / outcomes.length,
    shares: Array.from({ length: endpoints }, (_, index) => {
      return ledger.filter(({ endpoint }) => endpoint === index).length / Math.max(1, ledger.length);
    }),
    lastFailureMs: Math.max(0, ...failed.map(({ arrival }) => arrival.atMs)),
    failedBy: tally(failed, (outcome) => `${outcome.arrival.method} ${blame(outcome)}`),
    slowBy: tally(slow, (outcome) => `${outcome.arrival.method} ${blame(outcome)}`),
    failures: tally(failed, ({ failure }) => failure!),
    lag: percentilesOf(outcomes.map(lagMs)),
  };
}

/** A client later than this, in ms, also read its answers late, so latencies are not judged. */
const MOST_LAG = { p99Ms: 4, p999Ms: 25 } as const;
/** Tolerated share of the request time, for requests that take long anyway. */
const LAG_SHARE = 0.05;

/** Whether the client was too late for its times to describe the proxy. */
export function isClientLate({ lag, ofAll }: Pick<Figures, 'lag' | 'ofAll'>): boolean {
  return (
    lag.p99 > Math.max(MOST_LAG.p99Ms, LAG_SHARE * ofAll.p99) ||
    lag.p999 > Math.max(MOST_LAG.p999Ms, LAG_SHARE * ofAll.p999)
  );
}

/** Percentiles by nearest rank; zeros without values. */
export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

function tally<Item>(items: readonly Item[], keyOf: (item: Item) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}
