// How loaded a candidate is, apart from how one is chosen. Thread: both.

/**
 * A balancer's idea of load: comparable between the candidates of one balancer, lower is better, infinite for a
 * candidate that must not be chosen. Allocates nothing.
 */
export interface LoadMeasure {
  /** @param index of the candidate in the balancer's table. @param nowMs as in PickRequest. */
  of(index: number, nowMs: number): number;
  /** Writes the loads of all candidates: one tight loop, which a call per candidate would make three times slower. */
  fill(loads: Float64Array, nowMs: number): void;
}
