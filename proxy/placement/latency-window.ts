// Latencies of the last minute, for current percentiles. Thread: worker.

import { LATENCY_BOUNDS_MS, LATENCY_BUCKETS, latencyBucketOf } from '../../core/memory/lane-fields.ts';

const SLICES = 6;
const SLICE_MS = 10_000;
/** A percentile is computed at most this often. */
const FRESH_MS = 1000;
/** Fewer latencies give no percentile. */
const MIN_SAMPLES = 50;

/** A histogram over the last sixty seconds, in six slices that are reused in turn. Allocates only once. */
export class LatencyWindow {
  readonly #slices = Array.from({ length: SLICES }, () => new Uint32Array(LATENCY_BUCKETS));
  #current = 0;
  #turnMs: number;
  #computedMs = -Infinity;
  #computedShare = 0;
  #computed = 0;

  constructor(nowMs: number) {
    this.#turnMs = nowMs + SLICE_MS;
  }

  observe(ms: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#slices[this.#current]![latencyBucketOf(ms)]!++;
  }

  /**
   * The latency in ms that `share` of the requests stay below, up to the width of a bucket (26 %); 0 with too few
   * samples.
   */
  percentile(share: number, nowMs: number): number {
    if (nowMs - this.#computedMs < FRESH_MS && share === this.#computedShare) return this.#computed;
    this.#turn(nowMs);
    this.#computedMs = nowMs;
    this.#computedShare = share;
    this.#computed = this.#compute(share);
    return this.#computed;
  }

  #compute(share: number): number {
    let total = 0;
    for (const slice of this.#slices) for (const count of slice) total += count;
    if (total < MIN_SAMPLES) return 0;
    let left = total * share;
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
      for (const slice of this.#slices) left -= slice[bucket]!;
      if (left <= 0) return LATENCY_BOUNDS_MS[Math.min(bucket, LATENCY_BOUNDS_MS.length - 1)]!;
    }
    return LATENCY_BOUNDS_MS.at(-1)!;
  }

  #turn(nowMs: number): void {
    for (let turns = 0; nowMs >= this.#turnMs && turns < SLICES; turns++) {
      this.#turnMs += SLICE_MS;
      this.#current = (this.#current + 1) % SLICES;
      this.#slices[this.#current]!.fill(0);
    }
    if (nowMs >= this.#turnMs) this.#turnMs = nowMs + SLICE_MS;
  }
}
