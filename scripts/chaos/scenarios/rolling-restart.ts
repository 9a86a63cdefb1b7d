// A rolling restart: every endpoint in turn ends what it accepted, is gone for a second and comes back. Thread: main.

import { arrivalsOf, SHORT_WORK } from '../arrivals.ts';
import type { Fault } from '../plan.ts';
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
const FIRST_MS = 2000;
const EVERY_MS = 4000;
const GONE_MS = 1000;

export const rollingRestart: Scenario = { name: 'rolling-restart', cases, misses };

function cases(settings: ScenarioSettings): readonly Case[] {
  const { seed, rate } = settings;
  const faults = Array.from({ length: ENDPOINTS }, (_, endpoint): Fault => {
    const startMs = FIRST_MS + endpoint * EVERY_MS;
    return { kind: 'restart', endpoint, startMs, endMs: startMs + GONE_MS };
  });
  const durationMs = FIRST_MS + ENDPOINTS * EVERY_MS;
  const arrivals = arrivalsOf({ seed, durationMs, rate: rate ?? 500, postShare: 0.2, workMs: SHORT_WORK });
  const plan = { endpoints: endpointsAlike(ENDPOINTS), arrivals, faults, patienceMs: 10_000 };
  return [{ name: '', plan, tuning: usualTuning(settings) }];
}

function misses(fairlead: ByCase): readonly string[] {
  const { failedGets, failedPosts, doubledPosts } = fairlead.get('')!;
  return [
    ...unless(failedGets + failedPosts === 0, `${failedGets} GETs and ${failedPosts} POSTs failed`),
    ...unless(doubledPosts === 0, `${doubledPosts} POSTs were processed twice`),
  ];
}
