// Writers of a worker's lanes: plain adds into blocks that no other thread writes (docs/design.md 1.3).
// Thread: worker.

import {
  ENDPOINT_FIELD,
  ENDPOINT_LEVELS,
  ENDPOINT_FIELDS,
  LISTENER_FIELD,
  LISTENER_LEVELS,
  UPSTREAM_FIELD,
  UPSTREAM_FIELDS,
  latencyBucketOf,
} from '../../core/memory/lane-fields.ts';
import { POLICY_CAPACITY, type Region } from '../../core/memory/region.ts';

/** Maximum latency in ms (11 days): a longer one comes from a faulty clock, and a sum would never recover from it. */
const MAX_LATENCY_MS = 1e9;

/** Block offsets of the histograms. */
const ENDPOINT_BUCKETS = ENDPOINT_FIELDS.length;
const UPSTREAM_BUCKETS = UPSTREAM_FIELDS.length;

/** One block of this worker's lane. A field is an offset in the block. Allocates only when it is created. */
class Block {
  readonly #doubles: Float64Array;
  readonly #base: number;

  constructor(doubles: Float64Array, base: number) {
    this.#doubles = doubles;
    this.#base = base;
  }

  /** Adds `amount`; negative only for levels such as connectionsOpen. */
  add(field: number, amount: number): void {
    this.#doubles[this.#base + field]! += amount;
  }

  /** Adds `ms` to a histogram. Ignores phases that were not reached (-1) and values that are no number. */
  protected addLatency(sumField: number, firstBucket: number, ms: number): void {
    if (!(ms >= 0 && ms < MAX_LATENCY_MS)) return;
    this.add(sumField, ms);
    this.add(firstBucket + latencyBucketOf(ms), 1);
  }
}

/** Counters of one endpoint in this worker: fields of ENDPOINT_FIELD. */
export class EndpointLane extends Block {
  readonly #samples: Float64Array;
  readonly #firstSample: number;

  /** @throws RangeError if the region has no such slot. */
  constructor(region: Region, worker: number, slot: number) {
    super(region.doubles, region.endpointLane(worker, checkedIndex('slot', slot, region.capacity.endpoints)));
    this.#samples = region.doubles;
    this.#firstSample = region.endpointSamples(worker, slot);
  }

  /** Adds the latency of a good response for an adaptive limit, in ms from the whole request to the response head. */
  sampleLatency(ms: number): void {
    if (ms >= 0 && ms < MAX_LATENCY_MS) this.#samples[this.#firstSample + latencyBucketOf(ms)]!++;
  }

  /** Adds a latency in ms from the whole request to the response head. */
  observeLatency(ms: number): void {
    this.addLatency(ENDPOINT_FIELD.latencySumMs, ENDPOINT_BUCKETS, ms);
  }
}

/** Counters of one upstream in this worker: fields of UPSTREAM_FIELD. */
export class UpstreamLane extends Block {
  /** @throws RangeError if the region has no such upstream. */
  constructor(region: Region, worker: number, upstream: number) {
    super(region.doubles, region.upstreamLane(worker, checkedIndex('upstream', upstream, region.capacity.upstreams)));
  }

  /** Adds the duration of an exchange in ms. */
  observeLatency(ms: number): void {
    this.addLatency(UPSTREAM_FIELD.latencySumMs, UPSTREAM_BUCKETS, ms);
  }
}

/** Counters of one listener in this worker: fields of LISTENER_FIELD. */
export class ListenerLane extends Block {
  /** @throws RangeError if the region has no such listener. */
  constructor(region: Region, worker: number, listener: number) {
    super(region.doubles, region.listenerLane(worker, checkedIndex('listener', listener, region.capacity.listeners)));
  }
}

/** Counters of one policy in this worker: fields of POLICY_FIELD. */
export class PolicyLane extends Block {
  /** @throws RangeError if the region has no such policy. */
  constructor(region: Region, worker: number, policy: number) {
    super(region.doubles, region.policyLane(worker, checkedIndex('policy', policy, POLICY_CAPACITY)));
  }
}

/** A wrong index would silently count into another block. */
function checkedIndex(what: string, index: number, capacity: number): number {
  if (Number.isInteger(index) && index >= 0 && index < capacity) return index;
  throw new RangeError(`${what} ${index} is outside the shared region, which holds ${capacity}`);
}

/** This worker's blocks, each created at its first use and kept, so that hot code doesn't allocate. */
export class WorkerLanes {
  readonly #region: Region;
  readonly #worker: number;
  readonly #endpoints: (EndpointLane | undefined)[];
  readonly #upstreams: (UpstreamLane | undefined)[];
  readonly #listeners: (ListenerLane | undefined)[];
  readonly #policies: (PolicyLane | undefined)[];

  constructor(region: Region, worker: number) {
    this.#region = region;
    this.#worker = worker;
    this.#endpoints = Array.from({ length: region.capacity.endpoints });
    this.#upstreams = Array.from({ length: region.capacity.upstreams });
    this.#listeners = Array.from({ length: region.capacity.listeners });
    this.#policies = Array.from({ length: POLICY_CAPACITY });
  }

  endpoint(slot: number): EndpointLane {
    return (this.#endpoints[slot] ??= new EndpointLane(this.#region, this.#worker, slot));
  }

  upstream(index: number): UpstreamLane {
    return (this.#upstreams[index] ??= new UpstreamLane(this.#region, this.#worker, index));
  }

  listener(index: number): ListenerLane {
    return (this.#listeners[index] ??= new ListenerLane(this.#region, this.#worker, index));
  }

  policy(index: number): PolicyLane {
    return (this.#policies[index] ??= new PolicyLane(this.#region, this.#worker, index));
  }
}

/**
 * Resets the levels (open connections and similar) of a worker's lane, and keeps its counters. For a worker that starts:
 * the connections of its predecessor are closed, and counters must never step back.
 */
export function clearLevels(region: Region, worker: number): void {
  for (let slot = 0; slot < region.endpointsUsed; slot++) {
    const base = region.endpointLane(worker, slot);
    for (const field of ENDPOINT_LEVELS) region.doubles[base + ENDPOINT_FIELD[field]] = 0;
  }
  for (let listener = 0; listener < region.capacity.listeners; listener++) {
    const base = region.listenerLane(worker, listener);
    for (const field of LISTENER_LEVELS) region.doubles[base + LISTENER_FIELD[field]] = 0;
  }
}
