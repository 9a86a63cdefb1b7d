// The main scenario: one or two of three endpoints are killed, stopped, resetting, answering 503 or answering late, at
// almost any time. Thread: main.

import { arrivalsOf, SHORT_WORK } from '../arrivals.ts';
import { faultSchedule, type ScheduleSettings } from '../fault-schedule.ts';
import type { Fault, Plan } from '../plan.ts';
import type { Profile } from '../proxies/proxy.ts';
import { type Aim, type ByCase, inMs, noneOf, percent } from './aim.ts';
import { endpointsAlike, type Scenario, type ScenarioSettings } from './scenario.ts';

const ENDPOINTS = 3;
/** Goals. Round robin cannot see a growing queue, so it has fewer. */
const LEAST_AVAILABILITY = { defaults: 0.9995, recommended: 0.9998 } as const;
const LEAST_WITH_ROUND_ROBIN = 0.999;
const MOST_P99_MS = 10;
const MOST_P999_MS = 150;

export const faults: Scenario = {
  name: 'faults',
  hasProfiles: true,
  cases: (settings) => [{ name: '', plan: faultPlan(settings, faultSchedule), profile: profileOf(settings) }],
  aims,
};

export function faultPlan(
  { seed, seconds, rate }: ScenarioSettings,
  schedule: (settings: ScheduleSettings) => readonly Fault[],
): Plan {
  const durationMs = 1000 * (seconds ?? 60);
  return {
    endpoints: endpointsAlike(ENDPOINTS),
    arrivals: arrivalsOf({ seed, durationMs, rate: rate ?? 400, postShare: 0.2, workMs: SHORT_WORK }),
    faults: schedule({ seed, durationMs, endpoints: ENDPOINTS }),
    patienceMs: 10_000,
  };
}

/** The profile as it is, without changes. */
export function profileOf({ profile, balance }: Pick<ScenarioSettings, 'profile' | 'balance'>): Profile {
  return { name: profile, balance, changes: {} };
}

/** Goals that measure no time; the test in CI checks them too. */
export function availabilityAims({ balance, profile }: Pick<ScenarioSettings, 'balance' | 'profile'>): readonly Aim[] {
  const least = balance === 'round-robin' ? LEAST_WITH_ROUND_ROBIN : LEAST_AVAILABILITY[profile];
  return [
    noneOf('GETs that failed', (of) => of.get('')!.failedGets),
    noneOf('POSTs processed twice', (of) => of.get('')!.doubledPosts),
    {
      what: 'requests that succeeded',
      wanted: `at least ${percent(least)}, more than each peer`,
      value: (of) => of.get('')!.availability,
      text: percent,
      isMet: (value) => value >= least,
      isMetBeside: (value, peers) => value > peers || value === 1,
      isOfTime: false,
    },
  ];
}

/** Without goals for latency with the defaults: they cut no attempt, so a late endpoint makes requests late. */
function aims(settings: ScenarioSettings): readonly Aim[] {
  const { balance, profile } = settings;
  if (balance === 'round-robin' || profile === 'defaults') return availabilityAims(settings);
  const p999: Aim = {
    ...timeAtMost('p99.9', MOST_P999_MS, (of) => of.get('')!.ofAll.p999),
    wanted: `at most ${MOST_P999_MS} ms, no peer less`,
    isMetBeside: (value, peers) => value <= peers,
  };
  return [...availabilityAims(settings), timeAtMost('p99', MOST_P99_MS, (of) => of.get('')!.ofAll.p99), p999];
}

function timeAtMost(what: string, mostMs: number, value: (of: ByCase) => number): Aim {
  return {
    what,
    wanted: `at most ${mostMs} ms`,
    value,
    text: inMs,
    isMet: (timeMs) => timeMs <= mostMs,
    isOfTime: true,
  };
}
