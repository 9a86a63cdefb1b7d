// What a scenario is: what is done in it, and what Fairlead is to show by it. Thread: main.

import type { EndpointSpec, Plan } from '../plan.ts';
import type { Balance, Tuning } from '../proxies/proxy.ts';
import type { Aim } from './aim.ts';

/** What a scenario takes from the command line. */
export interface ScenarioSettings {
  readonly seed: number;
  /** Null where the scenario chooses. */
  readonly seconds: number | null;
  /** Requests per second; null where the scenario chooses. */
  readonly rate: number | null;
  readonly balance: Balance;
  readonly tryMs: number;
  readonly isHedged: boolean;
}

/** One run of each proxy. Most scenarios have one case; others compare two. */
export interface Case {
  /** For the table; empty where it is the only one. */
  readonly name: string;
  readonly plan: Plan;
  readonly tuning: Tuning;
}

export interface Scenario {
  readonly name: string;
  /** Whether balancers that know latencies have aims of their own in it. */
  readonly hasOtherAimsByLatency?: boolean;
  cases(settings: ScenarioSettings): readonly Case[];
  aims(settings: ScenarioSettings): readonly Aim[];
}

/** Endpoints named 1, 2, ... that are alike. */
export function endpointsAlike(count: number, slots = 0): readonly EndpointSpec[] {
  return Array.from({ length: count }, (_, index) => ({ name: String(index + 1), slots, slowness: 1 }));
}

/** As an operator who wants availability sets every proxy; scenarios change what they are about. */
export function usualTuning({ balance, tryMs, isHedged }: ScenarioSettings): Tuning {
  return {
    balance,
    tryMs,
    responseMs: 10_000,
    maxConnections: 0,
    queueMs: 4000,
    waitsWhenAllDown: true,
    isHedged,
  };
}
