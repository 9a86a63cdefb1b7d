// What a scenario is to show, and whether it did. Pure. Thread: main.

import { type Figures, isClientLate } from '../figures.ts';

/** Figures by name of the case, of one proxy. */
export type ByCase = ReadonlyMap<string, Figures>;

/** One thing that Fairlead is to show. Its value is told of the peers, too. */
export interface Aim {
  readonly what: string;
  readonly wanted: string;
  value(of: ByCase): number;
  text(value: number): string;
  /** Whether Fairlead's value is good; left out where only the comparison counts. */
  isMet?(value: number): boolean;
  /** Whether Fairlead's value is good beside that of a peer; left out where peers don't matter. */
  isMetBeside?(value: number, peers: number): boolean;
  /** Whether it is about time: then it says nothing where the client itself was late. */
  readonly isOfTime: boolean;
}

/** 'not judged' where the client was late, 'no peer' where there was none to compare with. */
export type Verdict = 'met' | 'missed' | 'not judged' | 'no peer';

/** An aim, and what it was with each proxy. */
export interface Judgement {
  readonly aim: Aim;
  /** By name of the proxy, Fairlead's first. */
  readonly values: ReadonlyMap<string, number>;
  readonly verdict: Verdict;
}

/** @param peers by name of the proxy, those that ran; one that lacks a case of Fairlead's is not compared */
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

/** Of times: in milliseconds. */
export const inMs = (valueMs: number): string => `${valueMs.toFixed(valueMs < 100 ? 1 : 0)} ms`;

/** A share of 1 in percent, precise enough for five nines. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}

/** Something that must not happen, counted. */
export function noneOf(what: string, count: (of: ByCase) => number): Aim {
  return { what, wanted: 'none', value: count, text: String, isMet: (value) => value === 0, isOfTime: false };
}

/** A ratio of two times within a run. */
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
