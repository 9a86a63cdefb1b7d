// A scenario: plans, settings, and goals for Fairlead. Thread: main.

import type { EndpointSpec, Plan } from '../plan.ts';
import type { Balance, Tuning } from '../proxies/proxy.ts';
import type { Aim } from './aim.ts';

/** Settings of a scenario from the command line. */
export interface ScenarioSettings {
  readonly seed: number;
  /** Null lets the scenario choose. */
  readonly seconds: number | null;
  /** Requests per second; null lets the scenario choose. */
  readonly rate: number | null;
  readonly balance: Balance;
  readonly tryMs: number;
  readonly isHedged: boolean;
}

/** One run of each proxy. Most scenarios have one case; others compare two. */
export interface Case {
  /** For the table; empty when it is the only one. */
  readonly name: string;
  readonly plan: Plan;
  readonly tuning: Tuning;
}

export interface Scenario {
  readonly name: string;
  /** Whether balancers by latency have goals of their own in it. */
  readonly hasOtherAimsByLatency?: boolean;
  cases(settings: ScenarioSettings): readonly Case[];
  aims(settings: ScenarioSettings): readonly Aim[];
}

/** Equal endpoints named 1, 2, ... */
export function endpointsAlike(count: number, slots = 0): readonly EndpointSpec[] {
  return Array.from({ length: count }, (_, index) => ({ name: String(index + 1), slots, slowness: 1 }));
}

/** Settings of an operator who aims for availability; scenarios change the ones that they test. */
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
