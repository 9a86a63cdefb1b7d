// Shared region: one SharedArrayBuffer and the offsets of its records, rows and lanes. Thread: both.

import { E_FACTOR, FULL_FACTOR, HEADER, RECORD_BYTES, RECORD_WORDS } from './layout.ts';
import { ENDPOINT_BLOCK, LATENCY_BUCKETS, LISTENER_BLOCK, POLICY_BLOCK, UPSTREAM_BLOCK } from './lane-fields.ts';

const MAGIC = 0x6661_6972; // "fair"
const VERSION = 3;

/** Names of policies that a region counts: those of Fairlead and of plugins together. */
export const POLICY_CAPACITY = 64;

/**
 * Number of records of each kind. Fixed for the life of a region: a reload that needs more is refused. Records that are
 * never used cost address space alone: the system gives memory to pages that were touched.
 */
export interface RegionCapacity {
  readonly endpoints: number;
  readonly upstreams: number;
  readonly workers: number;
  readonly listeners: number;
}

/**
 * Views over the shared buffer. `words` and `doubles` cover all of it; the *Base getters are indices into them.
 * Hot code reads `words[endpointBase + slot * RECORD_WORDS + E_...]` directly.
 */
export class Region {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly capacity: RegionCapacity;
  /** Word indices of the first endpoint record, upstream record, worker record and owned row. */
  readonly endpointBase: number;
  readonly upstreamBase: number;
  readonly workerBase: number;
  readonly ownBase: number;
  /** Words from one worker's owned row to the next: a multiple of a cache line. */
  readonly ownStride: number;
  /** Word index of worker 0's waiter row, and words from one row to the next. */
  readonly waitingBase: number;
  readonly waitingStride: number;
  /** The same for rows of requests that wait for one endpoint only, and for rows of retries in flight. */
  readonly endpointWaitingBase: number;
  readonly endpointWaitingStride: number;
  readonly retryingBase: number;
  readonly retryingStride: number;
  /** Index into `doubles` of worker 0's lane, and doubles from one lane to the next. */
  readonly laneBase: number;
  readonly laneStride: number;
  /** Index into `doubles` of worker 0's samples, and doubles from one worker's samples to the next. */
  readonly samplesBase: number;
  readonly samplesStride: number;

  /** Wraps an existing buffer. @throws Error if it is not a region of this layout version */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    if (this.words[HEADER.magic.index] !== MAGIC || this.words[HEADER.version.index] !== VERSION) {
      throw new Error('this buffer is not a shared region of this version of Fairlead');
    }
    this.capacity = {
      endpoints: this.words[HEADER.endpointCapacity.index]!,
      upstreams: this.words[HEADER.upstreamCapacity.index]!,
      workers: this.words[HEADER.workerCapacity.index]!,
      listeners: this.words[HEADER.listenerCapacity.index]!,
    };
    const places = placesOf(this.capacity);
    this.endpointBase = places.endpointBase;
    this.upstreamBase = places.upstreamBase;
    this.workerBase = places.workerBase;
    this.ownBase = places.ownBase;
    this.ownStride = places.ownStride;
    this.waitingBase = places.waitingBase;
    this.waitingStride = places.waitingStride;
    this.endpointWaitingBase = places.endpointWaitingBase;
    this.endpointWaitingStride = places.ownStride;
    this.retryingBase = places.retryingBase;
    this.retryingStride = places.waitingStride;
    this.laneBase = places.laneBase;
    this.laneStride = places.laneStride;
    this.samplesBase = places.samplesBase;
    this.samplesStride = places.samplesStride;
  }

  /**
   * Allocates a region; every endpoint starts with its full factor.
   * @param used endpoint slots that count as used from the start; the rest is reserved for later
   */
  static allocate(capacity: RegionCapacity, originWallMs: number, used = capacity.endpoints): Region {
    const buffer = new SharedArrayBuffer(placesOf(capacity).totalBytes);
    const words = new Int32Array(buffer);
    words[HEADER.magic.index] = MAGIC;
    words[HEADER.version.index] = VERSION;
    words[HEADER.endpointCapacity.index] = capacity.endpoints;
    words[HEADER.upstreamCapacity.index] = capacity.upstreams;
    words[HEADER.workerCapacity.index] = capacity.workers;
    words[HEADER.listenerCapacity.index] = capacity.listeners;
    const region = new Region(buffer);
    region.doubles[HEADER.originWallMs.index / 2] = originWallMs;
    words[HEADER.endpointsUsed.index] = used;
    for (let slot = 0; slot < used; slot++) words[region.endpointWord(slot) + E_FACTOR] = FULL_FACTOR;
    return region;
  }

  /** Slots below this number have had an owner at some time; memory above it was never touched. */
  get endpointsUsed(): number {
    return Atomics.load(this.words, HEADER.endpointsUsed.index);
  }

  /** Main only: counts a slot as used, before it has an owner. */
  use(slot: number): void {
    if (slot >= this.endpointsUsed) Atomics.store(this.words, HEADER.endpointsUsed.index, slot + 1);
  }

  /** Wall-clock ms of the origin of all timestamps in the region (32-bit ms, which wrap after 24 days). */
  get originWallMs(): number {
    return this.doubles[HEADER.originWallMs.index / 2]!;
  }

  /** Index in `words` of an endpoint's record. */
  endpointWord(slot: number): number {
    return this.endpointBase + slot * RECORD_WORDS;
  }

  /** Index in `words` of an upstream's record. */
  upstreamWord(upstream: number): number {
    return this.upstreamBase + upstream * RECORD_WORDS;
  }

  /** Index in `words` of a worker's record. */
  workerWord(worker: number): number {
    return this.workerBase + worker * RECORD_WORDS;
  }

  /** Index in `words` of the number of requests that `worker` has in flight at `slot`. */
  ownWord(worker: number, slot: number): number {
    return this.ownBase + worker * this.ownStride + slot;
  }

  /** Index in `words` of the number of exchanges of `worker` in an upstream's queue, for crash repair. */
  waitingWord(worker: number, upstream: number): number {
    return this.waitingBase + worker * this.waitingStride + upstream;
  }

  /** Index in `words` of how many exchanges of `worker` wait for one endpoint only: for crash repair. */
  endpointWaitingWord(worker: number, slot: number): number {
    return this.endpointWaitingBase + worker * this.endpointWaitingStride + slot;
  }

  /** Index in `words` of how many retries `worker` has in flight in an upstream: for crash repair. */
  retryingWord(worker: number, upstream: number): number {
    return this.retryingBase + worker * this.retryingStride + upstream;
  }

  /** Sum of a word over the records of all workers. @param word index in the record */
  sumOfWorkers(word: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.capacity.workers; worker++) sum += this.words[this.workerWord(worker) + word]!;
    return sum;
  }

  /** Index in `doubles` of an endpoint's block in a worker's lane. */
  endpointLane(worker: number, slot: number): number {
    return this.laneBase + worker * this.laneStride + slot * ENDPOINT_BLOCK;
  }

  /** Index in `doubles` of an upstream's block in a worker's lane. */
  upstreamLane(worker: number, upstream: number): number {
    const begin = this.laneBase + worker * this.laneStride + this.capacity.endpoints * ENDPOINT_BLOCK;
    return begin + upstream * UPSTREAM_BLOCK;
  }

  /** Index in `doubles` of a listener's block in a worker's lane. */
  listenerLane(worker: number, listener: number): number {
    return this.upstreamLane(worker, this.capacity.upstreams) + listener * LISTENER_BLOCK;
  }

  /** Index in `doubles` of a policy's block in a worker's lane. */
  policyLane(worker: number, policy: number): number {
    return this.listenerLane(worker, this.capacity.listeners) + policy * POLICY_BLOCK;
  }

  /**
   * Index in `doubles` of a worker's latency histogram of an endpoint's successful responses, LATENCY_BUCKETS long.
   * Separate from the lanes, so that its pages are never touched, and cost nothing, unless a limit is adaptive.
   */
  endpointSamples(worker: number, slot: number): number {
    return this.samplesBase + worker * this.samplesStride + slot * LATENCY_BUCKETS;
  }
}

function placesOf(capacity: RegionCapacity) {
  const endpointBase = RECORD_WORDS;
  const upstreamBase = endpointBase + capacity.endpoints * RECORD_WORDS;
  const workerBase = upstreamBase + capacity.upstreams * RECORD_WORDS;
  const ownBase = workerBase + capacity.workers * RECORD_WORDS;
  const ownStride = Math.ceil(capacity.endpoints / RECORD_WORDS) * RECORD_WORDS;
  const waitingBase = ownBase + capacity.workers * ownStride;
  const waitingStride = Math.ceil(capacity.upstreams / RECORD_WORDS) * RECORD_WORDS;
  const endpointWaitingBase = waitingBase + capacity.workers * waitingStride;
  const retryingBase = endpointWaitingBase + capacity.workers * ownStride;
  const laneBase = (retryingBase + capacity.workers * waitingStride) / 2;
  const laneDoubles =
    capacity.endpoints * ENDPOINT_BLOCK +
    capacity.upstreams * UPSTREAM_BLOCK +
    capacity.listeners * LISTENER_BLOCK +
    POLICY_CAPACITY * POLICY_BLOCK;
  const laneStride = Math.ceil(laneDoubles / 8) * 8;
  const samplesBase = laneBase + capacity.workers * laneStride;
  const samplesStride = Math.ceil((capacity.endpoints * LATENCY_BUCKETS) / 8) * 8;
  const totalBytes = (samplesBase + capacity.workers * samplesStride) * 8;
  const rows = { ownBase, ownStride, waitingBase, waitingStride, endpointWaitingBase, retryingBase };
  const lanes = { laneBase, laneStride, samplesBase, samplesStride };
  return { endpointBase, upstreamBase, workerBase, ...rows, ...lanes, totalBytes };
}

/** Size in bytes of a region of this capacity. */
export function regionBytes(capacity: RegionCapacity): number {
  return Math.ceil(placesOf(capacity).totalBytes / RECORD_BYTES) * RECORD_BYTES;
}

/**
 * A separate region with the current endpoint and upstream records, for one worker whose row is empty. Words are copied
 * one by one while workers run: a record is at most as torn as a pick would see it.
 */
export function copyRecords(region: Region): Region {
  const used = region.endpointsUsed;
  const copy = Region.allocate({ ...region.capacity, workers: 1 }, region.originWallMs, used);
  copy.words.set(region.words.subarray(region.endpointBase, region.endpointWord(used)), copy.endpointBase);
  copy.words.set(region.words.subarray(region.upstreamBase, region.workerBase), copy.upstreamBase);
  return copy;
}
