// What a scenario is: what is done in it, and what Fairlead is to show by it. Thread: main.

import type { Figures } from '../figures.ts';
import type { EndpointSpec, Plan } from '../plan.ts';
import type { Balance, Tuning } from '../proxies/proxy.ts';

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

/** Figures by name of the case. */
export type ByCase = ReadonlyMap<string, Figures>;

export interface Scenario {
  readonly name: string;
  cases(settings: ScenarioSettings): readonly Case[];
  /**
   * What Fairlead misses, in words; empty where it holds all.
   * @param peers by name of the proxy, those that ran
   */
  misses(fairlead: ByCase, settings: ScenarioSettings, peers: ReadonlyMap<string, ByCase>): readonly string[];
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

/** The words where the claim is false. */
export function unless(isTrue: boolean, words: string): readonly string[] {
  return isTrue ? [] : [words];
}

/** A share of 1 in percent, precise enough for five nines. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}
