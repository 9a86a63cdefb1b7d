// The only endpoint of an upstream is restarted under load; the proxy must hold the requests of the meantime.
// Thread: main.

import { arrivalsOf, SHORT_WORK } from '../arrivals.ts';
import { type Aim, noneOf } from './aim.ts';
import { type Case, endpointsAlike, recommended, type Scenario, type ScenarioSettings } from './scenario.ts';

const DURATION_MS = 10_000;
const RESTARTS_MS = [2000, 6000];
const GONE_MS = 1000;

export const onlyEndpoint: Scenario = { name: 'only-endpoint', cases, aims };

function cases(settings: ScenarioSettings): readonly Case[] {
  const { seed, rate } = settings;
  const faults = RESTARTS_MS.map((startMs) => ({
    kind: 'restart' as const,
    endpoint: 0,
    startMs,
    endMs: startMs + GONE_MS,
  }));
  const arrivals = arrivalsOf({ seed, durationMs: DURATION_MS, rate: rate ?? 200, postShare: 0.2, workMs: SHORT_WORK });
  const plan = { endpoints: endpointsAlike(1), arrivals, faults, patienceMs: 10_000 };
  return [{ name: '', plan, profile: recommended(settings, { tryMs: null }) }];
}

function aims(): readonly Aim[] {
  return [
    noneOf('GETs that failed', (of) => of.get('')!.failedGets),
    noneOf('POSTs that failed', (of) => of.get('')!.failedPosts),
  ];
}
