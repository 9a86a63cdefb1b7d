// What became of a request, as its client saw it. Thread: main.

import type { Arrival } from './plan.ts';

export interface Outcome {
  readonly arrival: Arrival;
  /** When it left the client, in ms after the load began: later than planned where the client was late. */
  readonly sentMs: number;
  readonly endMs: number;
  /** Why it counts as failed: a status, 'reset', 'truncated', 'time-out', 'wrong body', or a code of the system. */
  readonly failure: string | null;
}

/** From the time at which it was to be sent: what waits for a slow client or a full queue waits visibly. */
export function latencyMs(outcome: Outcome): number {
  return outcome.endMs - outcome.arrival.atMs;
}
