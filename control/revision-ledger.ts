// Revisions in use: the newest, and earlier ones that a worker still runs or that have open exchanges. Thread: main.

import type { AdminRevision } from '../admin/admin-context.ts';
import type { Clock } from '../core/clock.ts';
import { WORKER } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { OpenRevision } from '../core/messages.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { SnapshotConsumer } from './snapshot-owner.ts';

/** Older revisions are listed only while exchanges of them are open. */
const MOST_REVISIONS = 64;

export class RevisionLedger implements SnapshotConsumer {
  readonly #region: Region;
  readonly #clock: Pick<Clock, 'wallMs'>;
  /** Newest first. */
  #installed: { readonly revision: number; readonly at: number }[] = [];
  /** By worker: open exchanges of revisions before the newest. */
  readonly #open = new Map<number, readonly OpenRevision[]>();

  constructor(region: Region, clock: Pick<Clock, 'wallMs'>) {
    this.#region = region;
    this.#clock = clock;
  }

  apply({ revision }: Snapshot): void {
    this.#installed.unshift({ revision, at: this.#clock.wallMs() });
    if (this.#installed.length <= MOST_REVISIONS) return;
    const open = this.#sums();
    this.#installed = this.#installed.filter((one, index) => index < MOST_REVISIONS || open.has(one.revision));
  }

  stop(): void {
    this.#open.clear();
  }

  /** Records the open exchanges of a worker. */
  note(worker: number, older: readonly OpenRevision[]): void {
    this.#open.set(worker, older);
  }

  workerGone(worker: number): void {
    this.#open.delete(worker);
  }

  /**
   * The newest revision and earlier ones in use; the others are forgotten.
   * @param installed newest revision of each worker
   */
  list(installed: readonly number[]): AdminRevision[] {
    const open = this.#sums();
    const inUse = new Set(installed);
    const [current, ...older] = this.#installed;
    const kept = older.filter(({ revision }) => inUse.has(revision) || open.has(revision));
    this.#installed = [current!, ...kept];
    const oldOnes = [...open.values()].reduce((sum, count) => sum + count, 0);
    return this.#installed.map(({ revision, at }, index) => {
      const exchanges = index === 0 ? Math.max(0, this.#openExchanges() - oldOnes) : (open.get(revision) ?? 0);
      return { revision, at, exchanges };
    });
  }

  #sums(): Map<number, number> {
    const sums = new Map<number, number>();
    for (const older of this.#open.values()) {
      for (const { revision, exchanges } of older) sums.set(revision, (sums.get(revision) ?? 0) + exchanges);
    }
    return sums;
  }

  #openExchanges(): number {
    let sum = 0;
    for (let worker = 0; worker < this.#region.capacity.workers; worker++) {
      sum += this.#region.words[this.#region.workerWord(worker) + WORKER.openExchanges.index]!;
    }
    return sum;
  }
}
