// The main scenario: one or two of three endpoints are killed, stopped, resetting, answering 503 or answering late, at
// almost any time. Thread: main.

import { arrivalsOf, SHORT_WORK } from '../arrivals.ts';
import { faultSchedule } from '../fault-schedule.ts';
import { type Aim, type ByCase, inMs, noneOf, percent } from './aim.ts';
import { type Case, endpointsAlike, type Scenario, type ScenarioSettings, usualTuning } from './scenario.ts';

const ENDPOINTS = 3;
/** Goals. Round robin cannot see a growing queue, so it has fewer. */
const LEAST_AVAILABILITY = { 'round-robin': 0.999, other: 0.9998 } as const;
const MOST_P99_MS = 10;
const MOST_P999_MS = 150;

export const faults: Scenario = { name: 'faults', cases, aims };

function cases(settings: ScenarioSettings): readonly Case[] {
  const { seed, seconds, rate } = settings;
  const durationMs = 1000 * (seconds ?? 60);
  const plan = {
    endpoints: endpointsAlike(ENDPOINTS),
    arrivals: arrivalsOf({ seed, durationMs, rate: rate ?? 400, postShare: 0.2, workMs: SHORT_WORK }),
    faults: faultSchedule({ seed, durationMs, endpoints: ENDPOINTS }),
    patienceMs: 10_000,
  };
  return [{ name: '', plan, tuning: usualTuning(settings) }];
}

/** Goals that measure no time; the test in CI checks them too. */
export function availabilityAims({ balance }: Pick<ScenarioSettings, 'balance'>): readonly Aim[] {
  const least = LEAST_AVAILABILITY[balance === 'round-robin' ? 'round-robin' : 'other'];
  return [
    noneOf('GETs that failed', (of) => of.get('')!.failedGets),
    noneOf('POSTs processed twice', (of) => of.get('')!.doubledPosts),
    {
      what: 'requests that succeeded',
      wanted: `at least ${percent(least)}, no peer more`,
      value: (of) => of.get('')!.availability,
      text: percent,
      isMet: (value) => value >= least,
      isMetBeside: (value, peers) => value >= peers,
      isOfTime: false,
    },
  ];
}

function aims(settings: ScenarioSettings): readonly Aim[] {
  if (settings.balance === 'round-robin') return availabilityAims(settings);
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
