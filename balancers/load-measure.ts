// How loaded a candidate is, apart from how one is chosen. Thread: both.

/** A balancer's idea of load. Comparable between the candidates of one balancer; lower is better. */
export interface LoadMeasure {
  /** @param index of the candidate in the balancer's table. @param nowMs as in PickRequest. Allocates nothing. */
  of(index: number, nowMs: number): number;
}
