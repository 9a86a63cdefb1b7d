// The worker's writer of its own lanes: plain adds into blocks that no other thread writes (docs/design.md 1.3).
// Thread: worker.

import {
  ENDPOINT_FIELD,
  ENDPOINT_FIELDS,
  LISTENER_FIELD,
  UPSTREAM_FIELD,
  UPSTREAM_FIELDS,
  latencyBucketOf,
} from '../../core/memory/lane-fields.ts';
import { POLICY_CAPACITY, type Region } from '../../core/memory/region.ts';

/** Longest latency that the sums take, in ms (11 days): above it a clock went wrong, and sums never recover. */
const MAX_LATENCY_MS = 1e9;

/** Block offsets of what a histogram consists of. */
const ENDPOINT_BUCKETS = ENDPOINT_FIELDS.length;
const UPSTREAM_BUCKETS = UPSTREAM_FIELDS.length;

/** One block of this worker's lane. Allocates nothing after it was made; a field is its place in the block. */
class Block {
  readonly #doubles: Float64Array;
  readonly #base: number;

  constructor(doubles: Float64Array, base: number) {
    this.#doubles = doubles;
    this.#base = base;
  }

  /** Adds `amount`; negative only for the fields that are levels: connectionsOpen and its like. */
  add(field: number, amount: number): void {
    this.#doubles[this.#base + field]! += amount;
  }

  /** Enters `ms` into a histogram. A phase that was not reached (-1) and what is no number are left out. */
  protected addLatency(sumField: number, firstBucket: number, ms: number): void {
    if (!(ms >= 0 && ms < MAX_LATENCY_MS)) return;
    this.add(sumField, ms);
    this.add(firstBucket + latencyBucketOf(ms), 1);
  }
}

/** What this worker counts of one endpoint: fields of ENDPOINT_FIELD. */
export class EndpointLane extends Block {
  readonly #samples: Float64Array;
  readonly #firstSample: number;

  /** @throws RangeError when the region has no such slot. */
  constructor(region: Region, worker: number, slot: number) {
    super(region.doubles, region.endpointLane(worker, checkedIndex('slot', slot, region.capacity.endpoints)));
    this.#samples = region.doubles;
    this.#firstSample = region.endpointSamples(worker, slot);
  }

  /** Enters the time in ms that a good answer took, for an adaptive limit: from the whole request to its head. */
  sampleLatency(ms: number): void {
    if (ms >= 0 && ms < MAX_LATENCY_MS) this.#samples[this.#firstSample + latencyBucketOf(ms)]!++;
  }

  /** Enters the time in ms from a sent request to the response's head. */
  observeLatency(ms: number): void {
    this.addLatency(ENDPOINT_FIELD.latencySumMs, ENDPOINT_BUCKETS, ms);
  }
}

/** What this worker counts of one upstream: fields of UPSTREAM_FIELD. */
export class UpstreamLane extends Block {
  /** @throws RangeError when the region has no such upstream. */
  constructor(region: Region, worker: number, upstream: number) {
    super(region.doubles, region.upstreamLane(worker, checkedIndex('upstream', upstream, region.capacity.upstreams)));
  }

  /** Enters the time in ms of a whole exchange. */
  observeLatency(ms: number): void {
    this.addLatency(UPSTREAM_FIELD.latencySumMs, UPSTREAM_BUCKETS, ms);
  }
}

/** What this worker counts of one listener: fields of LISTENER_FIELD. */
export class ListenerLane extends Block {
  /** @throws RangeError when the region has no such listener. */
  constructor(region: Region, worker: number, listener: number) {
    super(region.doubles, region.listenerLane(worker, checkedIndex('listener', listener, region.capacity.listeners)));
  }
}

/** Counters of one policy in this worker: fields of POLICY_FIELD. */
export class PolicyLane extends Block {
  /** @throws RangeError when the region has no such policy. */
  constructor(region: Region, worker: number, policy: number) {
    super(region.doubles, region.policyLane(worker, checkedIndex('policy', policy, POLICY_CAPACITY)));
  }
}

/** A wrong index would count into somebody else's block without a sound. */
function checkedIndex(what: string, index: number, capacity: number): number {
  if (Number.isInteger(index) && index >= 0 && index < capacity) return index;
  throw new RangeError(`${what} ${index} is outside the shared region, which holds ${capacity}`);
}

/** This worker's blocks, each made at its first use and kept: what hot code adds to without allocating. */
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

const ENDPOINT_LEVELS = [
  ENDPOINT_FIELD.connectionsOpen,
  ENDPOINT_FIELD.connectionsIdle,
  ENDPOINT_FIELD.upgradesOpen,
] as const;

/**
 * Sets the levels (open connections and the like) of a worker's lane to zero, and leaves its counters. For a worker
 * that starts: what the one before it had open when it died is closed, and counters must never step back.
 */
export function clearLevels(region: Region, worker: number): void {
  for (let slot = 0; slot < region.capacity.endpoints; slot++) {
    const base = region.endpointLane(worker, slot);
    for (const field of ENDPOINT_LEVELS) region.doubles[base + field] = 0;
  }
  for (let listener = 0; listener < region.capacity.listeners; listener++) {
    region.doubles[region.listenerLane(worker, listener) + LISTENER_FIELD.connectionsOpen] = 0;
  }
}
