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

/**
 * From the moment at which it was sent. No request waits for those before it, so what a slow proxy or a full queue
 * costs is all in it; that the client itself was late is told apart (lagMs).
 */
export function latencyMs(outcome: Outcome): number {
  return outcome.endMs - outcome.sentMs;
}

/** How late the client sent it. */
export function lagMs(outcome: Outcome): number {
  return outcome.sentMs - outcome.arrival.atMs;
}
