// Reasons of state changes, for tests that ignore them. Thread: main.

import type { Detector } from '../../health/state/detector.ts';

/** A reason; `x` is the default cause. */
export function by<Name extends Detector>(
  detector: Name,
  cause = 'x',
): { readonly detector: Name; readonly cause: string } {
  return { detector, cause };
}

export const OPERATOR = by('operator');
export const AGENT = by('agent');
export const SEEN = by('heartbeat');
