// A rolling restart: each endpoint in turn finishes its requests, is absent for a second and returns. Thread: main.

import { arrivalsOf, SHORT_WORK } from '../arrivals.ts';
import type { Fault } from '../plan.ts';
import { type Aim, noneOf } from './aim.ts';
import { type Case, endpointsAlike, recommended, type Scenario, type ScenarioSettings } from './scenario.ts';

const ENDPOINTS = 3;
const FIRST_MS = 2000;
const EVERY_MS = 4000;
const GONE_MS = 1000;

export const rollingRestart: Scenario = { name: 'rolling-restart', cases, aims };

function cases(settings: ScenarioSettings): readonly Case[] {
  const { seed, rate } = settings;
  const faults = Array.from({ length: ENDPOINTS }, (_, endpoint): Fault => {
    const startMs = FIRST_MS + endpoint * EVERY_MS;
    return { kind: 'restart', endpoint, startMs, endMs: startMs + GONE_MS };
  });
  const durationMs = FIRST_MS + ENDPOINTS * EVERY_MS;
  const arrivals = arrivalsOf({ seed, durationMs, rate: rate ?? 500, postShare: 0.2, workMs: SHORT_WORK });
  const plan = { endpoints: endpointsAlike(ENDPOINTS), arrivals, faults, patienceMs: 10_000 };
  return [{ name: '', plan, profile: recommended(settings) }];
}

function aims(): readonly Aim[] {
  return [
    noneOf('GETs that failed', (of) => of.get('')!.failedGets),
    noneOf('POSTs that failed', (of) => of.get('')!.failedPosts),
    noneOf('POSTs processed twice', (of) => of.get('')!.doubledPosts),
  ];
}
