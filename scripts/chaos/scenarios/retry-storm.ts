// All endpoints answer 503, and 503 is retried: retries must not multiply the load. One case has checks that fail, so
// endpoints are taken out, the other has checks that pass. Thread: main.

import { arrivalsOf, SHORT_WORK } from '../arrivals.ts';
import type { EndpointSpec, Fault } from '../plan.ts';
import type { Aim } from './aim.ts';
import { type Case, endpointsAlike, recommended, type Scenario, type ScenarioSettings } from './scenario.ts';

const ENDPOINTS = 3;
const RATE = 1000;
const MOST_ATTEMPTS = 1.25;

export const retryStorm: Scenario = { name: 'retry-storm', cases, aims };

function cases(settings: ScenarioSettings): readonly Case[] {
  const { seed, seconds, rate } = settings;
  const durationMs = 1000 * (seconds ?? 15);
  const arrivals = arrivalsOf({ seed, durationMs, rate: rate ?? RATE, postShare: 0, workMs: SHORT_WORK });
  const profile = recommended(settings);
  const one = (name: string, endpoints: readonly EndpointSpec[], faults: readonly Fault[]): Case => {
    return { name, plan: { endpoints, arrivals, faults, patienceMs: 10_000 }, profile };
  };
  const alike = endpointsAlike(ENDPOINTS);
  const refusals = alike.map(
    (_, endpoint): Fault => ({ kind: 'unavailable', endpoint, startMs: 0, endMs: durationMs }),
  );
  const broken = alike.map((spec) => ({ ...spec, isBroken: true }));
  return [one('checks fail', alike, refusals), one('checks pass', broken, [])];
}

function aims(): readonly Aim[] {
  return ['checks fail', 'checks pass'].map((name) => ({
    what: `attempts for each request, ${name}`,
    wanted: `below ${MOST_ATTEMPTS}`,
    value: (of) => of.get(name)!.attemptsPerRequest,
    text: (value) => value.toFixed(3),
    isMet: (value) => value < MOST_ATTEMPTS,
    isOfTime: false,
  }));
}
