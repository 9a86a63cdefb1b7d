// Looks at what live traffic came to, over all workers, every ten seconds, and names the endpoints that fail more often
// than the others (pooled-test.ts). One timer per upstream. Thread: main.

import type { Clock } from '../../core/clock.ts';
import { ENDPOINT_FIELD } from '../../core/memory/lane-fields.ts';
import type { Region } from '../../core/memory/region.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { EndpointHealth, UpstreamHealth } from '../state/endpoint-health.ts';
import { percentWords } from '../record/health-words.ts';
import { findOutliers, type Outlier, type Tally } from './pooled-test.ts';

export interface OutlierSweepOptions {
  readonly region: Region;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Takes an endpoint that is an outlier. @param illSinceMs monotonic ms at which the stretch began that shows it */
  readonly onOutlier: (health: EndpointHealth, cause: string, illSinceMs: number) => void;
}

/** Where an endpoint's counters stood when the stretch began. They only grow. */
interface Baseline extends Tally {
  readonly sinceMs: number;
}

interface Sweep {
  readonly upstream: UpstreamHealth;
  readonly intervalMs: number;
  readonly timer: TimerHandle;
}

export class OutlierSweep {
  readonly #options: OutlierSweepOptions;
  readonly #baselines = new Map<number, Baseline>();
  #sweeps = new Map<UpstreamHealth, Sweep>();

  constructor(options: OutlierSweepOptions) {
    this.#options = options;
  }

  /** Applies the upstreams of a Snapshot. A sweep whose interval is unchanged keeps its timer. */
  apply(upstreams: Iterable<UpstreamHealth>): void {
    const before = this.#sweeps;
    this.#sweeps = new Map();
    for (const upstream of upstreams) {
      const intervalMs = upstream.snapshot.passive.outliers?.intervalMs ?? 0;
      const known = before.get(upstream);
      if (intervalMs === 0) continue;
      if (known?.intervalMs === intervalMs) {
        before.delete(upstream);
        this.#sweeps.set(upstream, known);
      } else this.#plan(upstream, intervalMs);
      this.begin(upstream);
    }
    for (const { timer } of before.values()) timer.cancel();
  }

  /** Begins with the endpoints of an upstream that are new. */
  begin(upstream: UpstreamHealth): void {
    if ((upstream.snapshot.passive.outliers?.intervalMs ?? 0) === 0) return;
    for (const health of upstream.endpoints.values()) this.#begin(health);
  }

  /** Outcomes before the endpoint's return to traffic don't count again. */
  onReturn({ slot }: EndpointHealth): void {
    if (this.#baselines.has(slot)) this.#baselines.set(slot, this.#read(slot));
  }

  /** Drops all state of a slot: its endpoint is removed. */
  forget(slot: number): void {
    this.#baselines.delete(slot);
  }

  stop(): void {
    for (const { timer } of this.#sweeps.values()) timer.cancel();
    this.#sweeps.clear();
  }

  /** A slot's lanes go on over its owners: a new endpoint begins where the earlier one has ended. */
  #begin({ slot }: EndpointHealth): void {
    if (!this.#baselines.has(slot)) this.#baselines.set(slot, this.#read(slot));
  }

  #plan(upstream: UpstreamHealth, intervalMs: number): void {
    const timer = this.#options.timers.after(intervalMs, () => {
      this.#plan(upstream, intervalMs);
      this.#sweep(upstream);
    });
    this.#sweeps.set(upstream, { upstream, intervalMs, timer });
  }

  #sweep(upstream: UpstreamHealth): void {
    const { outliers } = upstream.snapshot.passive;
    if (outliers === null) return;
    const members = [...upstream.endpoints.values()];
    const stretches = members.map((health) => this.#stretchOf(health));
    const found = findOutliers(stretches, outliers);
    for (const outlier of found) {
      this.#options.onOutlier(members[outlier.index]!, wordsOf(outlier), stretches[outlier.index]!.sinceMs);
    }
  }

  /** Outcomes since the last sweep. Starts the next window. */
  #stretchOf({ slot }: EndpointHealth): Baseline {
    const now = this.#read(slot);
    const { requests, failures, sinceMs } = this.#baselines.get(slot) ?? now;
    this.#baselines.set(slot, now);
    return { requests: now.requests - requests, failures: now.failures - failures, sinceMs };
  }

  #read(slot: number): Baseline {
    const { region, clock } = this.#options;
    let good = 0;
    let failures = 0;
    for (let worker = 0; worker < region.capacity.workers; worker++) {
      const lane = region.endpointLane(worker, slot);
      good += region.doubles[lane + ENDPOINT_FIELD.ok]!;
      failures += region.doubles[lane + ENDPOINT_FIELD.fail]!;
    }
    return { requests: good + failures, failures, sinceMs: clock.nowMs() };
  }
}

/** As in `52 % of its 412 requests failed, 1.2 % of the others'`. */
function wordsOf({ tally, others }: Outlier): string {
  const usual = percentWords(others.failures / Math.max(1, others.requests));
  return `${percentWords(tally.failures / tally.requests)} of its ${tally.requests} requests failed, ${usual} of the others'`;
}
