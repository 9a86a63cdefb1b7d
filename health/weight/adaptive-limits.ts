// Adaptive limits of all endpoints: reads what their good answers took, over all workers, and publishes what follows
// (docs/algorithms.md 6.2). One timer, which runs only while an upstream uses it. Thread: main.

import type { Clock } from '../../core/clock.ts';
import { percentileMs } from '../../core/latency-percentile.ts';
import { LATENCY_BUCKETS } from '../../core/memory/lane-fields.ts';
import { E_INFLIGHT } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import { ConcurrencyGradient } from './concurrency-gradient.ts';
import type { EndpointHealth, UpstreamHealth } from '../state/endpoint-health.ts';
import type { WeightShares } from './weight-shares.ts';

/** Requests in flight are looked at this often. */
const LOOK_MS = 50;
/** A window lasts at least so long, and until it has so many good answers; but no longer than the last number. */
const WINDOW_MS = 250;
const WINDOW_SAMPLES = 50;
const PROBE_SAMPLES = 200;
const LONGEST_WINDOW_MS = 10_000;
const LONGEST_PROBE_WINDOW_MS = 2_000;

export interface AdaptiveLimitsOptions {
  readonly region: Region;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly shares: WeightShares;
}

/** Endpoints that are new, and those that no longer exist. */
interface Changed {
  readonly added: readonly EndpointHealth[];
  readonly removed: readonly EndpointHealth[];
}

/** Observation of one endpoint. */
interface Watch {
  readonly gradient: ConcurrencyGradient;
  readonly before: Float64Array;
  sinceMs: number;
  peak: number;
}

export class AdaptiveLimits {
  readonly #options: AdaptiveLimitsOptions;
  readonly #watches = new Map<EndpointHealth, Watch>();
  readonly #now = new Float64Array(LATENCY_BUCKETS);
  #timer: TimerHandle | null = null;

  constructor(options: AdaptiveLimitsOptions) {
    this.#options = options;
  }

  /** Applies the upstreams of a Snapshot. Endpoints that stay keep their learned limits. */
  apply(upstreams: Iterable<UpstreamHealth>): void {
    const gone = new Set(this.#watches.keys());
    for (const upstream of upstreams) {
      if (!upstream.snapshot.limits.isAdaptive) continue;
      for (const health of upstream.endpoints.values()) {
        gone.delete(health);
        this.#watch(health);
      }
    }
    this.#forget(gone);
  }

  /** Applies other endpoints of one upstream. */
  amend({ snapshot }: UpstreamHealth, { added, removed }: Changed): void {
    if (snapshot.limits.isAdaptive) for (const health of added) this.#watch(health);
    this.#forget(removed);
  }

  #forget(gone: Iterable<EndpointHealth>): void {
    for (const health of gone) {
      this.#watches.delete(health);
      health.gradient = null;
    }
    if (this.#watches.size === 0) this.stop();
    else this.#timer ??= this.#options.timers.after(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #watch(health: EndpointHealth): void {
    const most = health.upstream.snapshot.limits.maxConnections;
    const known = this.#watches.get(health);
    if (known !== undefined) return known.gradient.retune(most);
    const gradient = new ConcurrencyGradient(most, this.#options.random);
    health.gradient = gradient;
    const watch = { gradient, before: new Float64Array(LATENCY_BUCKETS), sinceMs: 0, peak: 0 };
    this.#restart(health, watch);
    this.#watches.set(health, watch);
  }

  #look(): void {
    this.#timer = this.#options.timers.after(LOOK_MS, () => this.#look());
    const { region } = this.#options;
    for (const [health, watch] of this.#watches) {
      watch.peak = Math.max(watch.peak, region.words[region.endpointWord(health.slot) + E_INFLIGHT]!);
      this.#endWindow(health, watch);
    }
  }

  #endWindow(health: EndpointHealth, watch: Watch): void {
    const { gradient } = watch;
    const nowMs = this.#options.clock.nowMs();
    const lengthMs = nowMs - watch.sinceMs;
    if (lengthMs < WINDOW_MS || gradient.isDraining(nowMs)) return;
    // Slow start holds requests back by other means, and cold answers are no measure.
    if (health.warming !== null) return this.#restart(health, watch);
    this.#read(health.slot);
    const samples = this.#now.reduce((sum, count, bucket) => sum + count - watch.before[bucket]!, 0);
    const wanted = gradient.isProbing ? PROBE_SAMPLES : WINDOW_SAMPLES;
    const longestMs = gradient.isProbing ? LONGEST_PROBE_WINDOW_MS : LONGEST_WINDOW_MS;
    if (samples < wanted && (samples === 0 || lengthMs < longestMs)) return;
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
      watch.before[bucket] = this.#now[bucket]! - watch.before[bucket]!;
    }
    gradient.take({ p50Ms: percentileMs(watch.before, 0.5)!, peak: watch.peak, nowMs, lengthMs });
    this.#options.shares.publishLimit(health);
    this.#restart(health, watch);
  }

  /** A window begins: what came before it doesn't count. */
  #restart({ slot }: EndpointHealth, watch: Watch): void {
    this.#read(slot);
    watch.before.set(this.#now);
    watch.sinceMs = this.#options.clock.nowMs();
    watch.peak = 0;
  }

  /** All good answers of an endpoint up to now, by how long they took. They only grow. */
  #read(slot: number): void {
    const { region } = this.#options;
    const now = this.#now.fill(0);
    for (let worker = 0; worker < region.capacity.workers; worker++) {
      const first = region.endpointSamples(worker, slot);
      for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) now[bucket]! += region.doubles[first + bucket]!;
    }
  }
}
