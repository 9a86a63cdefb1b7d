// Appearance and severity of endpoint states: a label and a sign for each, never a colour alone. Pure. Runs in the browser.

import type { LiveUpstream, State, Tone } from '../types.ts';

export interface Look {
  readonly label: string;
  /** Predicate of a sentence on an endpoint in this state. */
  readonly predicate: string;
  readonly sign: string;
  readonly tone: Tone;
  /** Orders rows, the most serious first. */
  readonly rank: number;
  /** Whether ordinary requests are sent to it. */
  readonly isUsable: boolean;
}

export const STATES: Readonly<Record<State, Look>> = {
  down: { label: 'down', predicate: 'is down', sign: '✕', tone: 'bad', rank: 0, isUsable: false },
  ejected: { label: 'ejected', predicate: 'is ejected', sign: '⊘', tone: 'bad', rank: 1, isUsable: false },
  unresolved: { label: 'no address', predicate: 'has no address', sign: '?', tone: 'bad', rank: 2, isUsable: false },
  halfOpen: { label: 'on trial', predicate: 'is on trial', sign: '◔', tone: 'warn', rank: 3, isUsable: false },
  suspect: { label: 'suspect', predicate: 'is suspect', sign: '!', tone: 'warn', rank: 4, isUsable: false },
  drain: { label: 'draining', predicate: 'is draining', sign: '↓', tone: 'set', rank: 5, isUsable: false },
  maintenance: {
    label: 'maintenance',
    predicate: 'is in maintenance',
    sign: '‖',
    tone: 'set',
    rank: 6,
    isUsable: false,
  },
  up: { label: 'up', predicate: 'is up', sign: '●', tone: 'good', rank: 7, isUsable: true },
};

/** Share of errors that is marked, and a problem. */
const ERROR_SHARE = 0.01;

/** Whether so many requests fail that it is a problem. */
export function isFailing(errorShare: number | null): boolean {
  return (errorShare ?? 0) >= ERROR_SHARE;
}

/** Whether something is wrong that no operator has requested. */
export function isProblem(state: State): boolean {
  return STATES[state].tone === 'bad' || STATES[state].tone === 'warn';
}

/** How many endpoints are in each state that occurs, serious ones first. */
export function tally(endpoints: readonly { readonly availability: State }[]): [State, number][] {
  const counts = new Map<State, number>();
  for (const { availability } of endpoints) counts.set(availability, (counts.get(availability) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => STATES[a].rank - STATES[b].rank);
}

/** `1 down, 3 up`. */
export function tallyText(endpoints: readonly { readonly availability: State }[]): string {
  return tally(endpoints)
    .map(([state, number]) => `${number} ${STATES[state].label}`)
    .join(', ');
}

/** Rank of the most serious state in an upstream. */
export function worstRank({ endpoints }: Pick<LiveUpstream, 'endpoints'>): number {
  return Math.min(STATES.up.rank, ...endpoints.map(({ availability }) => STATES[availability].rank));
}
