// Appearance and severity of endpoint states: a word and a sign for each, never a colour alone.
// Pure. Runs in the browser.

/** @import { State, LiveUpstream } from './types.d.ts' */

/**
 * `tone` chooses the colours. `rank` orders rows, what needs somebody first. `isUsable`: ordinary requests come.
 * @typedef {{ label: string, sign: string, tone: 'bad' | 'warn' | 'set' | 'good', rank: number, isUsable: boolean }} Look
 */

/** @type {Readonly<Record<State, Look>>} */
export const STATES = {
  down: { label: 'down', sign: '✕', tone: 'bad', rank: 0, isUsable: false },
  ejected: { label: 'ejected', sign: '⊘', tone: 'bad', rank: 1, isUsable: false },
  unresolved: { label: 'unresolved', sign: '?', tone: 'bad', rank: 2, isUsable: false },
  halfOpen: { label: 'on trial', sign: '◔', tone: 'warn', rank: 3, isUsable: false },
  suspect: { label: 'suspect', sign: '!', tone: 'warn', rank: 4, isUsable: false },
  drain: { label: 'drain', sign: '↓', tone: 'set', rank: 5, isUsable: false },
  maintenance: { label: 'maintenance', sign: '‖', tone: 'set', rank: 6, isUsable: false },
  up: { label: 'up', sign: '●', tone: 'good', rank: 7, isUsable: true },
};

/** Whether something is wrong that no operator has asked for. @param {State} state */
export function isProblem(state) {
  return STATES[state].tone === 'bad' || STATES[state].tone === 'warn';
}

/** How many endpoints are in each state that occurs, grave ones first. @param {readonly { availability: State }[]} endpoints */
export function tally(endpoints) {
  /** @type {Map<State, number>} */
  const counts = new Map();
  for (const { availability } of endpoints) counts.set(availability, (counts.get(availability) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => STATES[a].rank - STATES[b].rank);
}

/** `1 down, 3 up`. @param {readonly { availability: State }[]} endpoints */
export function tallyText(endpoints) {
  return tally(endpoints)
    .map(([state, number]) => `${number} ${STATES[state].label}`)
    .join(', ');
}

/** How grave the worst of an upstream is; its rank. @param {LiveUpstream} upstream */
export function worstRank({ endpoints }) {
  return Math.min(STATES.up.rank, ...endpoints.map(({ availability }) => STATES[availability].rank));
}
