// The check axis: the endpoint's state by heartbeats, after HAProxy's single counter (docs/algorithms.md 2.1). Thread: main.

import type { Check } from '../../core/availability.ts';

/** How many results in a row it takes. */
export interface CheckThresholds {
  /** Passed heartbeats that bring an endpoint up; at least 1. */
  readonly rise: number;
  /** Failed heartbeats that take it down; at least 1. */
  readonly fall: number;
}

/**
 * One integer, 0..rise+fall-1, is the confidence: 0 is firmly down, `rise` and above is up, rise+fall-1 is
 * firmly up; everything between 0 and the top is transitional. While nothing is known the counter means nothing.
 */
export interface CheckState {
  readonly check: Check;
  readonly counter: number;
}

/**
 * Events: a heartbeat passed or failed; a failed one confirmed a suspicion that live traffic had raised
 * (`condemn`: down at once, two witnesses agree); a passed one confirmed what live traffic saw, or no other endpoint is
 * left (`restore`: up at once); or the knowledge is void (`forget`: maintenance,
 * or the heartbeat was taken out of the configuration).
 */
export type CheckEvent = 'pass' | 'fail' | 'condemn' | 'restore' | 'forget';

/** Edges that exist. */
export const CHECK_EDGES: Readonly<Record<Check, readonly Check[]>> = {
  unknown: ['up', 'down'],
  up: ['down', 'unknown'],
  down: ['up', 'unknown'],
};

export const CHECK_UNKNOWN: CheckState = { check: 'unknown', counter: 0 };
const FIRMLY_DOWN: CheckState = { check: 'down', counter: 0 };

/**
 * The state after `event`. While nothing is known the first result decides. Up: one pass restores full confidence,
 * `fall` failures in a row take it down. Down: `rise` passes in a row bring it up, one failure restarts the count.
 */
export function stepCheck(state: CheckState, event: CheckEvent, thresholds: CheckThresholds): CheckState {
  if (event === 'forget') return CHECK_UNKNOWN;
  if (event === 'condemn') return FIRMLY_DOWN;
  if (event === 'restore') return firmlyUp(thresholds);
  if (state.check === 'unknown') return event === 'pass' ? firmlyUp(thresholds) : FIRMLY_DOWN;
  return event === 'pass' ? afterPass(state.counter, thresholds) : afterFailure(state.counter, thresholds);
}

function afterPass(counter: number, thresholds: CheckThresholds): CheckState {
  if (counter + 1 >= thresholds.rise) return firmlyUp(thresholds);
  return { check: 'down', counter: counter + 1 };
}

function afterFailure(counter: number, thresholds: CheckThresholds): CheckState {
  if (counter - 1 < thresholds.rise) return FIRMLY_DOWN;
  return { check: 'up', counter: counter - 1 };
}

function firmlyUp(thresholds: CheckThresholds): CheckState {
  return { check: 'up', counter: thresholds.rise + thresholds.fall - 1 };
}

/** Whether the next result may matter soon: heartbeats come at the fast interval. */
export function isTransitional(state: CheckState, thresholds: CheckThresholds): boolean {
  if (state.check === 'unknown') return true;
  return state.counter !== 0 && !isFirmlyUp(state, thresholds);
}

/** Whether nothing has failed since the last pass. */
export function isFirmlyUp(state: CheckState, thresholds: CheckThresholds): boolean {
  return state.check === 'up' && state.counter === thresholds.rise + thresholds.fall - 1;
}

/** Failed heartbeats in a row while up, passed ones while down; 0 at either end and while nothing is known. */
export function streakOf(state: CheckState, thresholds: CheckThresholds): number {
  return state.check === 'up' ? thresholds.rise + thresholds.fall - 1 - state.counter : state.counter;
}

/** The same verdict under changed thresholds (a reload): a streak in progress restarts. */
export function retuneCheck(state: CheckState, thresholds: CheckThresholds): CheckState {
  if (state.check === 'unknown') return CHECK_UNKNOWN;
  return state.check === 'up' ? firmlyUp(thresholds) : FIRMLY_DOWN;
}
