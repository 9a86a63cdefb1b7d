// Distribution of load when endpoints are busy, slow or broken, as ratios within one run (docs/algorithms.md 1.5, 1.7).
// Tries have no timeout of their own and no hedges here: only the picks are measured. Thread: main.

import { arrivalsOf, exponentialWork } from '../arrivals.ts';
import type { EndpointSpec, Plan } from '../plan.ts';
import type { Profile } from '../proxies/proxy.ts';
import { type Aim, type ByCase, inMs, noneOf, percent, ratioAtMost } from './aim.ts';
import { type Case, endpointsAlike, recommended, type Scenario, type ScenarioSettings } from './scenario.ts';

const ENDPOINTS = 10;
const SLOTS = 4;
const MEAN_WORK_MS = 40;
/** Capacity of one endpoint in requests per second. */
const CAPACITY = (SLOTS * 1000) / MEAN_WORK_MS;
const SLOWNESS = 5;
const ALIKE = endpointsAlike(ENDPOINTS, SLOTS);

interface Load {
  readonly rate: number;
  readonly postShare: number;
  readonly seconds: number;
}

function planOf(
  settings: ScenarioSettings,
  endpoints: readonly EndpointSpec[],
  { rate, postShare, seconds }: Load,
): Plan {
  const durationMs = 1000 * (settings.seconds ?? seconds);
  const workMs = exponentialWork(MEAN_WORK_MS);
  const arrivals = arrivalsOf({ seed: settings.seed, durationMs, rate: settings.rate ?? rate, postShare, workMs });
  return { endpoints, arrivals, faults: [], patienceMs: 10_000 };
}

function profileOf(settings: Pick<ScenarioSettings, 'balance'>): Profile {
  return recommended(settings, { tryMs: null, isHedged: false });
}

/** Endpoints of which the first differs. */
function withFirst(change: Partial<EndpointSpec>): readonly EndpointSpec[] {
  return ALIKE.map((spec, index) => (index === 0 ? { ...spec, ...change } : spec));
}

function p99(of: ByCase, name: string): number {
  return of.get(name)!.ofAll.p99;
}

function shareAtMost(what: string, most: number, value: (of: ByCase) => number): Aim {
  const wanted = `at most ${100 * most} %`;
  return { what, wanted, value, text: percent, isMet: (share) => share <= most, isOfTime: false };
}

/** Latencies of proxies that pick alike differ by chance, by less than this ratio. */
const CHANCE = 0.1;

function noMoreThanPeers(what: string, value: (of: ByCase) => number): Aim {
  return {
    what,
    wanted: `at most ${1 + CHANCE} times that of each peer`,
    value,
    text: inMs,
    isMetBeside: (ours, theirs) => ours <= (1 + CHANCE) * theirs,
    isOfTime: true,
  };
}

const MOST_SLOW_SHARE = 0.04;
const MOST_P99_RATIO = { 'peak-ewma': 1.25, other: 2 } as const;

/** One of ten endpoints five times slower at 70 % of the total capacity, beside ten equal ones. */
export const slowEndpoint: Scenario = {
  name: 'slow-endpoint',
  hasOtherAimsByLatency: true,
  cases(settings) {
    const load = (endpoints: number): Load => ({ rate: 0.7 * CAPACITY * endpoints, postShare: 0, seconds: 30 });
    const slow = planOf(settings, withFirst({ slowness: SLOWNESS }), load(ENDPOINTS - 1 + 1 / SLOWNESS));
    const profile = profileOf(settings);
    return [
      { name: 'healthy', plan: planOf(settings, ALIKE, load(ENDPOINTS)), profile },
      { name: 'slow', plan: slow, profile },
    ];
  },
  aims({ balance }) {
    const most = MOST_P99_RATIO[balance === 'peak-ewma' ? balance : 'other'];
    return [
      noneOf('requests that failed', (of) => of.get('slow')!.failedGets),
      shareAtMost('share of the slow endpoint', MOST_SLOW_SHARE, (of) => of.get('slow')!.shares[0]!),
      ratioAtMost('p99 against that of healthy endpoints', most, (of) => p99(of, 'slow') / p99(of, 'healthy')),
      noMoreThanPeers('p99', (of) => p99(of, 'slow')),
    ];
  },
};

const MOST_OF_ROUND_ROBIN = 0.85;

/** Ten endpoints at 90 %: balancing by requests in flight against balancing without that knowledge. */
export const fullLoad: Scenario = {
  name: 'full-load',
  cases(settings) {
    const plan = planOf(settings, ALIKE, { rate: 0.9 * CAPACITY * ENDPOINTS, postShare: 0, seconds: 30 });
    const balances = [settings.balance, 'round-robin'] as const;
    return balances.map((balance): Case => ({ name: balance, plan, profile: profileOf({ balance }) }));
  },
  aims({ balance }) {
    const ratio = (of: ByCase): number => p99(of, balance) / p99(of, 'round-robin');
    return [
      ratioAtMost(`p99 of ${balance} against that of round robin`, MOST_OF_ROUND_ROBIN, ratio),
      noMoreThanPeers(`p99 of ${balance}`, (of) => p99(of, balance)),
    ];
  },
};

const MOST_FAILED = 0.001;

/**
 * One endpoint answers 503 at once but passes its checks, so it looks the least loaded of all. All requests are POSTs, so
 * none may be retried.
 */
export const failingFast: Scenario = {
  name: 'failing-fast',
  cases(settings) {
    const load = { rate: 0.7 * CAPACITY * (ENDPOINTS - 1), postShare: 1, seconds: 60 };
    const plan = planOf(settings, withFirst({ isBroken: true }), load);
    return [{ name: '', plan, profile: profileOf(settings) }];
  },
  aims() {
    return [shareAtMost('requests that failed', MOST_FAILED, (of) => 1 - of.get('')!.availability)];
  },
};
