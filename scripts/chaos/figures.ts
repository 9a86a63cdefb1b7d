// The figures of one run: what its clients saw, in numbers. Pure. Thread: main.

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
  /** Of these, the ones that were under way when a process was killed. */
  readonly failedPostsUnderWay: number;
  readonly doubledPosts: number;
  /** Of 1. */
  readonly availability: number;
  readonly ofSuccesses: Percentiles;
  readonly ofAll: Percentiles;
  /** Requests that came to endpoints, retries and hedges among them, for each request of the client. */
  readonly attemptsPerRequest: number;
  /** Failed requests by the fault that they met, as "GET kill". */
  readonly failedBy: Readonly<Record<string, number>>;
  /** Requests slower than SLOW_MS by the fault that they met. */
  readonly slowBy: Readonly<Record<string, number>>;
  /** Failed requests by what the client saw. */
  readonly failures: Readonly<Record<string, number>>;
  /** Share of the requests that came to each endpoint. */
  readonly shares: readonly number[];
  /** When the last request that failed was to be sent, in ms after the load began; 0 where none failed. */
  readonly lastFailureMs: number;
  /** How late the client sent: what is large here is the machine's fault and no proxy's. */
  readonly lag: Percentiles;
}

/** Beyond it a request counts into the tail: the threshold of p99.9. */
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

/** A client that was later has also read its answers late: latencies say nothing then. Its clock ticks every millisecond. */
const MOST_LAG = { p99Ms: 4, p999Ms: 25 } as const;
/** Where a request takes long anyway so much of it doesn't matter. */
const LAG_SHARE = 0.05;

/** Whether the client was so late that its times are its own rather than the proxy's. */
export function isClientLate({ lag, ofAll }: Pick<Figures, 'lag' | 'ofAll'>): boolean {
  return (
    lag.p99 > Math.max(MOST_LAG.p99Ms, LAG_SHARE * ofAll.p99) ||
    lag.p999 > Math.max(MOST_LAG.p999Ms, LAG_SHARE * ofAll.p999)
  );
}

/** By nearest rank. Zeros where there is no value. */
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
