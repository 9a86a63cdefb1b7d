// Totals of gRPC calls by method over all workers, for metrics. They outlive workers, so no counter steps back. Thread: main.

import { addGrpcCounts, type GrpcMethodCounts } from '../core/grpc-calls.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { SnapshotConsumer } from './snapshot-owner.ts';

export class GrpcCallTotals implements SnapshotConsumer {
  readonly #table = new Map<string, Map<string, GrpcMethodCounts>>();

  /** Drops the counts of upstreams that are gone. */
  apply({ upstreams }: Snapshot): void {
    const names = new Set(upstreams.map(({ name }) => name));
    for (const name of this.#table.keys()) if (!names.has(name)) this.#table.delete(name);
  }

  stop(): void {
    this.#table.clear();
  }

  /** A worker has counted calls. */
  add(counts: readonly GrpcMethodCounts[]): void {
    for (const one of counts) addGrpcCounts(this.#table, one);
  }

  list(): readonly GrpcMethodCounts[] {
    return [...this.#table.values()].flatMap((methods) => [...methods.values()]);
  }
}
