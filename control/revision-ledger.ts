// Which configurations run, since when, and what is open of each: of those before the newest only what some worker still
// runs on or has open. Thread: main.

import type { AdminGeneration } from '../admin/admin-context.ts';
import { WORKER } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { OpenGeneration } from '../core/messages.ts';

/** Beyond these, only generations are remembered of which something is open. */
const MOST_GENERATIONS = 64;

export class RevisionLedger {
  readonly #region: Region;
  /** Newest first. */
  #takenOver: { readonly generation: number; readonly at: number }[] = [];
  /** By worker: what it has open of generations before the newest. */
  readonly #open = new Map<number, readonly OpenGeneration[]>();

  constructor(region: Region) {
    this.#region = region;
  }

  /** @param at wall-clock ms */
  takenOver(generation: number, at: number): void {
    this.#takenOver.unshift({ generation, at });
    if (this.#takenOver.length <= MOST_GENERATIONS) return;
    const open = this.#sums();
    this.#takenOver = this.#takenOver.filter((one, index) => index < MOST_GENERATIONS || open.has(one.generation));
  }

  /** What a worker has open. */
  note(worker: number, older: readonly OpenGeneration[]): void {
    this.#open.set(worker, older);
  }

  workerGone(worker: number): void {
    this.#open.delete(worker);
  }

  /**
   * The one that runs, and those that are not over yet; the others are forgotten.
   * @param acknowledged newest generation of each worker
   */
  list(acknowledged: readonly number[]): AdminGeneration[] {
    const open = this.#sums();
    const inUse = new Set(acknowledged);
    const [current, ...older] = this.#takenOver;
    const kept = older.filter(({ generation }) => inUse.has(generation) || open.has(generation));
    this.#takenOver = [current!, ...kept];
    const oldOnes = [...open.values()].reduce((sum, count) => sum + count, 0);
    return this.#takenOver.map(({ generation, at }, index) => {
      const exchanges = index === 0 ? Math.max(0, this.#openExchanges() - oldOnes) : (open.get(generation) ?? 0);
      return { generation, at, exchanges };
    });
  }

  #sums(): Map<number, number> {
    const sums = new Map<number, number>();
    for (const older of this.#open.values()) {
      for (const { generation, exchanges } of older) sums.set(generation, (sums.get(generation) ?? 0) + exchanges);
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
