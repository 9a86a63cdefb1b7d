// Capacity halves for ten seconds at 80 % load and then returns. The overload must end with its cause (docs/algorithms.md
// 4.3: queues of expired work and retries can sustain it for ever). Thread: main.

import { arrivalsOf, exponentialWork } from '../arrivals.ts';
import type { Aim } from './aim.ts';
import { type Case, endpointsAlike, recommended, type Scenario, type ScenarioSettings } from './scenario.ts';

/** Total capacity: 250 requests per second. */
const ENDPOINTS = 5;
const SLOTS = 2;
const MEAN_WORK_MS = 40;
const LOAD = 0.8;
const HALVED_MS = { start: 5000, end: 15_000 };
const DURATION_MS = 25_000;
const RECOVERY_MS = 2000;
/** Timeouts as in the model: a response may take 25 times its work, 0.4 of that in a queue. */
const RESPONSE_MS = 25 * MEAN_WORK_MS;
const QUEUE_MS = 0.4 * RESPONSE_MS;
const PATIENCE_MS = 4 * RESPONSE_MS;

export const metastability: Scenario = { name: 'metastability', cases, aims };

function cases(settings: ScenarioSettings): readonly Case[] {
  const rate = settings.rate ?? (LOAD * ENDPOINTS * SLOTS * 1000) / MEAN_WORK_MS;
  const load = { seed: settings.seed, durationMs: DURATION_MS, rate, postShare: 0.2 };
  const endpoints = endpointsAlike(ENDPOINTS, SLOTS);
  const plan = {
    endpoints,
    arrivals: arrivalsOf({ ...load, workMs: exponentialWork(MEAN_WORK_MS) }),
    faults: endpoints.map((_, endpoint) => ({
      kind: 'halve' as const,
      endpoint,
      startMs: HALVED_MS.start,
      endMs: HALVED_MS.end,
    })),
    patienceMs: PATIENCE_MS,
  };
  const bounds = { tryMs: null, responseMs: RESPONSE_MS, queueMs: QUEUE_MS, maxConnections: SLOTS };
  return [{ name: '', plan, profile: recommended(settings, bounds) }];
}

function aims(): readonly Aim[] {
  return [
    {
      what: 'last failure after capacity has returned',
      wanted: `within ${RECOVERY_MS / 1000} s`,
      value: (of) => Math.max(0, of.get('')!.lastFailureMs - HALVED_MS.end),
      text: (lateMs) => `${(lateMs / 1000).toFixed(1)} s`,
      isMet: (lateMs) => lateMs <= RECOVERY_MS,
      isOfTime: false,
    },
  ];
}
