// Exemplars of all workers: for each upstream the newest recorded request of each bucket of its latencies. Thread: main.

import { latencyBucketOf } from '../../core/memory/lane-fields.ts';
import type { Exemplar } from '../../core/request-tracer.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';

export class Exemplars {
  /** By name of the upstream, then by bucket. */
  readonly #newest = new Map<string, Map<number, Exemplar>>();

  /** Drops those of upstreams whose histograms no longer exist, and all where nothing is traced. */
  apply({ tracing, upstreams }: Snapshot): void {
    const kept = new Set(tracing === null ? [] : upstreams.map(({ name }) => name));
    for (const name of this.#newest.keys()) if (!kept.has(name)) this.#newest.delete(name);
  }

  add(exemplars: readonly Exemplar[]): void {
    for (const exemplar of exemplars) {
      const buckets = this.#newest.get(exemplar.upstream) ?? new Map<number, Exemplar>();
      this.#newest.set(exemplar.upstream, buckets);
      const bucket = latencyBucketOf(exemplar.ms);
      if ((buckets.get(bucket)?.atMs ?? 0) <= exemplar.atMs) buckets.set(bucket, exemplar);
    }
  }

  of(upstream: string): readonly Exemplar[] {
    return [...(this.#newest.get(upstream)?.values() ?? [])];
  }
}
