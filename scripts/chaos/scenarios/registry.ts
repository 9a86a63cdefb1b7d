// All scenarios by name. Thread: main.

import { failingFast, fullLoad, slowEndpoint } from './balancing.ts';
import { bursts } from './bursts.ts';
import { faults } from './faults.ts';
import { metastability } from './metastability.ts';
import { onlyEndpoint } from './only-endpoint.ts';
import { retryStorm } from './retry-storm.ts';
import { rollingRestart } from './rolling-restart.ts';
import type { Scenario } from './scenario.ts';

/** The main one first. */
export const SCENARIOS: readonly Scenario[] = [
  faults,
  bursts,
  rollingRestart,
  onlyEndpoint,
  retryStorm,
  metastability,
  slowEndpoint,
  fullLoad,
  failingFast,
];

/** Replaces a scenario's name: run everything. */
export const ALL_SCENARIOS = 'all';
