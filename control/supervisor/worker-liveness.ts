// Whether workers' event loops turn: each counts up a word of the region, and one that stands still is stuck.
// Thread: main.

import { WORKER } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';

export class WorkerLiveness {
  readonly #region: Region;
  readonly #seen = new Map<number, number>();

  constructor(region: Region) {
    this.#region = region;
  }

  /** Whether each of these workers has beaten since it was asked about last. The first time it is taken to have. */
  haveAllBeaten(workers: readonly number[]): boolean {
    let haveAll = true;
    for (const worker of workers) {
      const beat = this.#region.words[this.#region.workerWord(worker) + WORKER.liveness.index]!;
      if (this.#seen.get(worker) === beat) haveAll = false;
      this.#seen.set(worker, beat);
    }
    return haveAll;
  }
}
