// Reads the statistics lanes: the sum over all workers of what each has counted. Thread: main.

import {
  ENDPOINT_BLOCK,
  ENDPOINT_FIELD,
  ENDPOINT_FIELDS,
  type EndpointField,
  LATENCY_BUCKETS,
  LISTENER_BLOCK,
  LISTENER_FIELD,
  type ListenerField,
  UPSTREAM_BLOCK,
  UPSTREAM_FIELD,
  UPSTREAM_FIELDS,
  type UpstreamField,
} from '../core/memory/lane-fields.ts';
import type { Region } from '../core/memory/region.ts';

/** Sums of lanes, read when asked. Lanes outlive their workers, so no counter ever steps back. */
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

  /** How many attempts fell into each bucket of LATENCY_BOUNDS_MS, and above all of them. */
  endpointLatencies(slot: number): Float64Array {
    return this.#sums((worker) => this.#region.endpointLane(worker, slot) + ENDPOINT_FIELDS.length);
  }

  /** How many exchanges fell into each bucket. */
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

/** Who owns a block. */
export type LaneOwner = 'endpoint' | 'upstream' | 'listener';

/**
 * Sets all that was ever counted of a slot, upstream or listener to zero, for a record that gets another owner. Only
 * while no worker knows it: after all have acknowledged a Snapshot without it, before one with it is sent.
 */
export function clearLanes(region: Region, owner: LaneOwner, index: number): void {
  for (let worker = 0; worker < region.capacity.workers; worker++) {
    const [base, length] = blockOf(region, owner, worker, index);
    region.doubles.fill(0, base, base + length);
  }
}

function blockOf(region: Region, owner: LaneOwner, worker: number, index: number): [base: number, length: number] {
  if (owner === 'endpoint') return [region.endpointLane(worker, index), ENDPOINT_BLOCK];
  if (owner === 'upstream') return [region.upstreamLane(worker, index), UPSTREAM_BLOCK];
  return [region.listenerLane(worker, index), LISTENER_BLOCK];
}
