// All endpoints answer 503, and 503 is retried: tries must not multiply the load on them. Thread: main.

import { arrivalsOf, SHORT_WORK } from '../arrivals.ts';
import {
  type ByCase,
  type Case,
  endpointsAlike,
  type Scenario,
  type ScenarioSettings,
  unless,
  usualTuning,
} from './scenario.ts';

const ENDPOINTS = 3;
const MOST_ATTEMPTS = 1.25;

export const retryStorm: Scenario = { name: 'retry-storm', cases, misses };

function cases(settings: ScenarioSettings): readonly Case[] {
  const { seed, seconds, rate } = settings;
  const durationMs = 1000 * (seconds ?? 15);
  const endpoints = endpointsAlike(ENDPOINTS);
  const faults = endpoints.map((_, endpoint) => ({
    kind: 'unavailable' as const,
    endpoint,
    startMs: 0,
    endMs: durationMs,
  }));
  const arrivals = arrivalsOf({ seed, durationMs, rate: rate ?? 1000, postShare: 0, workMs: SHORT_WORK });
  return [{ name: '', plan: { endpoints, arrivals, faults, patienceMs: 10_000 }, tuning: usualTuning(settings) }];
}

function misses(fairlead: ByCase): readonly string[] {
  const { attemptsPerRequest } = fairlead.get('')!;
  const words = `${attemptsPerRequest.toFixed(3)} attempts per request, not below ${MOST_ATTEMPTS}`;
  return unless(attemptsPerRequest < MOST_ATTEMPTS, words);
}
