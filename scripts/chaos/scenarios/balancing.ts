// How load is spread when endpoints are busy, slow or broken, as ratios within one run (ALGORITHMS.md 1.5, 1.7).
// No tries are cut or made beside others here: what is measured is the picks. Thread: main.

import { arrivalsOf, exponentialWork } from '../arrivals.ts';
import type { EndpointSpec, Plan } from '../plan.ts';
import type { Tuning } from '../proxies/proxy.ts';
import {
  type ByCase,
  type Case,
  endpointsAlike,
  percent,
  type Scenario,
  type ScenarioSettings,
  unless,
  usualTuning,
} from './scenario.ts';

const ENDPOINTS = 10;
const SLOTS = 4;
const MEAN_WORK_MS = 40;
/** Requests per second that one endpoint can do. */
const CAPACITY = (SLOTS * 1000) / MEAN_WORK_MS;
const SLOWNESS = 5;
const ALIKE = endpointsAlike(ENDPOINTS, SLOTS);

function planOf(settings: ScenarioSettings, endpoints: readonly EndpointSpec[], rate: number, postShare: number): Plan {
  const durationMs = 1000 * (settings.seconds ?? 60);
  const workMs = exponentialWork(MEAN_WORK_MS);
  const arrivals = arrivalsOf({ seed: settings.seed, durationMs, rate: settings.rate ?? rate, postShare, workMs });
  return { endpoints, arrivals, faults: [], patienceMs: 10_000 };
}

function tuningOf(settings: ScenarioSettings): Tuning {
  return { ...usualTuning(settings), tryMs: null, isHedged: false };
}

/** The first endpoint in another way. */
function withFirst(change: Partial<EndpointSpec>): readonly EndpointSpec[] {
  return ALIKE.map((spec, index) => (index === 0 ? { ...spec, ...change } : spec));
}

const MOST_SLOW_SHARE = 0.04;
const MOST_P99_RATIO = { 'peak-ewma': 1.25, other: 2 } as const;

/** One endpoint five times slower at 70 % of what all can do, beside ten that are well. */
export const slowEndpoint: Scenario = {
  name: 'slow-endpoint',
  cases(settings) {
    const rate = 0.7 * CAPACITY * (ENDPOINTS - 1 + 1 / SLOWNESS);
    const tuning = tuningOf(settings);
    return [
      { name: 'healthy', plan: planOf(settings, ALIKE, 0.7 * CAPACITY * ENDPOINTS, 0), tuning },
      { name: 'slow', plan: planOf(settings, withFirst({ slowness: SLOWNESS }), rate, 0), tuning },
    ];
  },
  misses(fairlead, { balance }) {
    const slow = fairlead.get('slow')!;
    const share = slow.shares[0]!;
    const ratio = slow.ofAll.p99 / fairlead.get('healthy')!.ofAll.p99;
    const most = MOST_P99_RATIO[balance === 'peak-ewma' ? balance : 'other'];
    return [
      ...unless(slow.failedGets === 0, `${slow.failedGets} requests failed`),
      ...unless(share <= MOST_SLOW_SHARE, `the slow endpoint got ${percent(share)} of the requests`),
      ...unless(ratio <= most, `p99 is ${ratio.toFixed(2)} times that of healthy endpoints, more than ${most}`),
    ];
  },
};

const MOST_OF_ROUND_ROBIN = 0.85;

/** Ten endpoints at 90 %: knowing what is in flight against knowing nothing. */
export const fullLoad: Scenario = {
  name: 'full-load',
  cases(settings) {
    const plan = planOf(settings, ALIKE, 0.9 * CAPACITY * ENDPOINTS, 0);
    const balances = [settings.balance, 'round-robin'] as const;
    return balances.map((balance): Case => ({ name: balance, plan, tuning: { ...tuningOf(settings), balance } }));
  },
  misses(fairlead, { balance }) {
    const ratio = fairlead.get(balance)!.ofAll.p99 / fairlead.get('round-robin')!.ofAll.p99;
    const words = `p99 is ${ratio.toFixed(2)} times that of round robin, more than ${MOST_OF_ROUND_ROBIN}`;
    return unless(ratio <= MOST_OF_ROUND_ROBIN, words);
  },
};

const LEAST_AVAILABILITY = 0.999;

/**
 * One endpoint answers 503 at once, but says that it is well when asked: it looks the least loaded of all. All requests
 * are POSTs, so that none may be tried again.
 */
export const failingFast: Scenario = {
  name: 'failing-fast',
  cases(settings) {
    const plan = planOf(settings, withFirst({ isBroken: true }), 0.7 * CAPACITY * (ENDPOINTS - 1), 1);
    return [{ name: '', plan, tuning: tuningOf(settings) }];
  },
  misses(fairlead: ByCase) {
    const { availability } = fairlead.get('')!;
    return unless(availability >= LEAST_AVAILABILITY, `${percent(1 - availability)} of requests failed`);
  },
};
