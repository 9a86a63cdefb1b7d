// A scenario: plans, settings, and goals for Fairlead. Thread: main.

import type { EndpointSpec, Plan } from '../plan.ts';
import type { Balance, Profile, ProfileChanges, ProfileName } from '../proxies/proxy.ts';
import type { Aim } from './aim.ts';

/** Settings of a scenario from the command line. */
export interface ScenarioSettings {
  readonly seed: number;
  /** Null lets the scenario choose. */
  readonly seconds: number | null;
  /** Requests per second; null lets the scenario choose. */
  readonly rate: number | null;
  readonly balance: Balance;
  /** Only for scenarios with `hasProfiles`; the others use the recommended settings. */
  readonly profile: ProfileName;
}

/** One run of each proxy. Most scenarios have one case; others compare two. */
export interface Case {
  /** For the table; empty when it is the only one. */
  readonly name: string;
  readonly plan: Plan;
  readonly profile: Profile;
}

export interface Scenario {
  readonly name: string;
  /** Whether balancers by latency have goals of their own in it. */
  readonly hasOtherAimsByLatency?: boolean;
  /** Whether it runs with each profile, and has goals for each. */
  readonly hasProfiles?: boolean;
  cases(settings: ScenarioSettings): readonly Case[];
  aims(settings: ScenarioSettings): readonly Aim[];
}

/** Equal endpoints named 1, 2, ... */
export function endpointsAlike(count: number, slots = 0): readonly EndpointSpec[] {
  return Array.from({ length: count }, (_, index) => ({ name: String(index + 1), slots, slowness: 1 }));
}

/** The recommended settings with the changes that a scenario tests. */
export function recommended({ balance }: Pick<ScenarioSettings, 'balance'>, changes: ProfileChanges = {}): Profile {
  return { name: 'recommended', balance, changes };
}
