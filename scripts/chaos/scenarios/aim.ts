// Goals of a scenario and their verdicts. Pure. Thread: main.

import { type Figures, isClientLate } from '../figures.ts';

/** Figures of one proxy by case name. */
export type ByCase = ReadonlyMap<string, Figures>;

/** A goal for Fairlead. The report also prints the peers' values. */
export interface Aim {
  readonly what: string;
  readonly wanted: string;
  value(of: ByCase): number;
  text(value: number): string;
  /** Whether Fairlead's value is good; left out when only the comparison counts. */
  isMet?(value: number): boolean;
  /** Whether Fairlead's value is good compared with a peer's; left out when peers don't matter. */
  isMetBeside?(value: number, peers: number): boolean;
  /** Whether it is a latency: then it is not judged when the client itself was late. */
  readonly isOfTime: boolean;
}

/** 'not judged' when the client was late, 'no peer' when there is none to compare with. */
export type Verdict = 'met' | 'missed' | 'not judged' | 'no peer';

/** A goal and its value for each proxy. */
export interface Judgement {
  readonly aim: Aim;
  /** By proxy name, Fairlead first. */
  readonly values: ReadonlyMap<string, number>;
  readonly verdict: Verdict;
}

/** @param peers figures by proxy name; a peer that lacks one of Fairlead's cases is not compared */
export function judge(aim: Aim, fairlead: ByCase, peers: ReadonlyMap<string, ByCase>): Judgement {
  const whole = [...peers].filter(([, byCase]) => [...fairlead.keys()].every((name) => byCase.has(name)));
  const value = aim.value(fairlead);
  const values = new Map([['fairlead', value], ...whole.map(([name, byCase]) => [name, aim.value(byCase)] as const)]);
  const compared = aim.isMetBeside === undefined ? [] : whole;
  const isLate = aim.isOfTime && [fairlead, ...compared.map(([, byCase]) => byCase)].some(hasLateClient);
  if (aim.isMet === undefined && compared.length === 0) return { aim, values, verdict: 'no peer' };
  if (isLate) return { aim, values, verdict: 'not judged' };
  const isGood = aim.isMet?.(value) ?? true;
  const isMet = isGood && compared.every(([name]) => aim.isMetBeside!(value, values.get(name)!));
  return { aim, values, verdict: isMet ? 'met' : 'missed' };
}

function hasLateClient(byCase: ByCase): boolean {
  return [...byCase.values()].some(isClientLate);
}

/** A latency in milliseconds. */
export const inMs = (valueMs: number): string => `${valueMs.toFixed(valueMs < 100 ? 1 : 0)} ms`;

/** A ratio as a percentage, precise enough for five nines. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}

/** A count of something that must not happen. */
export function noneOf(what: string, count: (of: ByCase) => number): Aim {
  return { what, wanted: 'none', value: count, text: String, isMet: (value) => value === 0, isOfTime: false };
}

/** A ratio of two latencies within a run. */
export function ratioAtMost(what: string, most: number, ratio: (of: ByCase) => number): Aim {
  return {
    what,
    wanted: `at most ${most}`,
    value: ratio,
    text: (value) => value.toFixed(2),
    isMet: (value) => value <= most,
    isOfTime: true,
  };
}
