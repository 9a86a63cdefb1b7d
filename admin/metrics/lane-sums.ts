// Sums the statistics lanes over all workers. Thread: main.

import {
  ENDPOINT_FIELD,
  ENDPOINT_FIELDS,
  type EndpointField,
  LATENCY_BUCKETS,
  LISTENER_FIELD,
  type ListenerField,
  POLICY_FIELD,
  type PolicyField,
  UPSTREAM_FIELD,
  UPSTREAM_FIELDS,
  type UpstreamField,
} from '../../core/memory/lane-fields.ts';
import type { Region } from '../../core/memory/region.ts';

/** Sums of lanes, read on demand. Lanes outlive their workers, so no counter steps back. */
export class LaneSums {
  readonly #region: Region;

  constructor(region: Region) {
    this.#region = region;
  }

  endpoint(slot: number, field: EndpointField): number {
    return this.#sum((worker) => this.#region.endpointLane(worker, slot) + ENDPOINT_FIELD[field]);
  }

  upstream(index: number, field: UpstreamField): number {
    return this.#sum((worker) => this.#region.upstreamLane(worker, index) + UPSTREAM_FIELD[field]);
  }

  listener(index: number, field: ListenerField): number {
    return this.#sum((worker) => this.#region.listenerLane(worker, index) + LISTENER_FIELD[field]);
  }

  policy(index: number, field: PolicyField): number {
    return this.#sum((worker) => this.#region.policyLane(worker, index) + POLICY_FIELD[field]);
  }

  /** Attempts in each bucket of LATENCY_BOUNDS_MS, and above the last bound. */
  endpointLatencies(slot: number): Float64Array {
    return this.#sums((worker) => this.#region.endpointLane(worker, slot) + ENDPOINT_FIELDS.length);
  }

  /** Exchanges in each bucket. */
  upstreamLatencies(index: number): Float64Array {
    return this.#sums((worker) => this.#region.upstreamLane(worker, index) + UPSTREAM_FIELDS.length);
  }

  #sum(placeOf: (worker: number) => number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#region.capacity.workers; worker++) {
      sum += this.#region.doubles[placeOf(worker)]!;
    }
    return sum;
  }

  #sums(placeOf: (worker: number) => number): Float64Array {
    const sums = new Float64Array(LATENCY_BUCKETS);
    for (let worker = 0; worker < this.#region.capacity.workers; worker++) {
      const first = placeOf(worker);
      for (let i = 0; i < LATENCY_BUCKETS; i++) sums[i]! += this.#region.doubles[first + i]!;
    }
    return sums;
  }
}
