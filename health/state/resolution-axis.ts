// The resolution axis: whether discovery has an address for an endpoint. Thread: main.

import type { Resolution } from '../../core/availability.ts';

/** Edges that exist. */
export const RESOLUTION_EDGES: Readonly<Record<Resolution, readonly Resolution[]>> = {
  resolved: ['unresolved'],
  unresolved: ['resolved'],
};

/** The state after discovery reported `found`; the same state is no edge. */
export function stepResolution(state: Resolution, found: Resolution): Resolution {
  return RESOLUTION_EDGES[state].includes(found) ? found : state;
}
