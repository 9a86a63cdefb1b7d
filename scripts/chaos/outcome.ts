// Outcome of a request as its client saw it. Thread: main.

import type { Arrival } from './plan.ts';

export interface Outcome {
  readonly arrival: Arrival;
  /** Send time in ms after the start of the load; later than planned when the client was late. */
  readonly sentMs: number;
  readonly endMs: number;
  /** Reason of the failure: a status, 'reset', 'truncated', 'time-out', 'wrong body', or a system error code. */
  readonly failure: string | null;
}

/**
 * Time from sending to the end. No request waits for earlier ones, so the cost of a slow proxy or a full queue is
 * included; the client's own lateness is separate (lagMs).
 */
export function latencyMs(outcome: Outcome): number {
  return outcome.endMs - outcome.sentMs;
}

/** Lateness of the client in ms. */
export function lagMs(outcome: Outcome): number {
  return outcome.sentMs - outcome.arrival.atMs;
}
