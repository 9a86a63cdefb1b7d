// Tops up the retry budgets of all upstreams once a second (docs/algorithms.md 4.2). Thread: main.

import { UPSTREAM_FIELD } from '../core/memory/lane-fields.ts';
import type { Region } from '../core/memory/region.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import { openBudget, topUpBudget } from '../proxy/placement/retry-budget.ts';
import type { SnapshotConsumer } from './snapshot-owner.ts';

const TICK_MS = 1000;

export class BudgetKeeper implements SnapshotConsumer {
  readonly #region: Region;
  readonly #timers: Timers;
  #upstreams: readonly UpstreamSnapshot[] = [];
  /** Exchanges of an upstream at the last tick, over all workers. */
  readonly #counted = new Map<number, number>();
  #timer: TimerHandle | null = null;

  constructor(region: Region, timers: Timers) {
    this.#region = region;
    this.#timers = timers;
  }

  /** New upstreams start with the floor of their budget. */
  apply(snapshot: Snapshot): void {
    const known = new Set(this.#upstreams.map((upstream) => upstream.index));
    for (const { index, retry } of snapshot.upstreams) if (!known.has(index)) openBudget(this.#region, index, retry);
    this.#upstreams = snapshot.upstreams;
    this.#timer ??= this.#timers.after(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #tick(): void {
    this.#timer = this.#timers.after(TICK_MS, () => this.#tick());
    for (const { index, retry } of this.#upstreams) {
      const exchanges = this.#exchangesOf(index);
      const perSecond = Math.max(0, exchanges - (this.#counted.get(index) ?? exchanges));
      this.#counted.set(index, exchanges);
      topUpBudget(this.#region, index, retry, perSecond);
    }
  }

  #exchangesOf(upstream: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#region.capacity.workers; worker++) {
      sum += this.#region.doubles[this.#region.upstreamLane(worker, upstream) + UPSTREAM_FIELD.exchanges]!;
    }
    return sum;
  }
}
