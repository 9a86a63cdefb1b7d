// Traffic of the last hour in steps of ten seconds, in total and by upstream, for charts and the error budget. Bounded
// memory: 10 KB per upstream for at most 256 of them, 2.6 MB in all. Thread: main.

import { percentileMs } from '../../core/latency-percentile.ts';
import { LATENCY_BUCKETS } from '../../core/memory/lane-fields.ts';
import { ENDPOINT, UPSTREAM, WORKER } from '../../core/memory/layout.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { TimerHandle } from '../../core/timers.ts';
import type { AdminContext } from '../admin-context.ts';
import { LaneSums } from './lane-sums.ts';

/** Step in ms, and number of steps. */
export const HISTORY_STEP_MS = 10_000;
const STEPS = 360;
/** Upstreams with a history, in the order of the configuration. */
const MOST_UPSTREAMS = 256;

/** Values of a step: counts of the step, its percentiles, and levels at its end. */
const FIELDS = ['requests', 'errors', 'p50Ms', 'p99Ms', 'inFlight', 'queued', 'saturation'] as const;
type Values = Readonly<Record<(typeof FIELDS)[number], number | null>>;

/** One step of a series; its values are null where they are not known. */
export interface HistoryStep extends Values {
  /** Wall-clock ms of its end. */
  readonly at: number;
  readonly seconds: number;
}

type HistoryContext = Pick<AdminContext, 'region' | 'clock' | 'timers' | 'snapshot' | 'workers'>;

/** Counters at the end of the previous step. */
interface Counters {
  readonly requests: number;
  readonly errors: number;
  readonly latencies: Float64Array;
}

interface Series {
  before: Counters;
  /** NaN for unknown values. */
  readonly ring: Float32Array;
}

/** Key of the series over all listeners; no upstream has an empty name. */
const TOTAL = '';

/** Samples from `start` to `stop`. */
export class TrafficHistory {
  readonly #context: HistoryContext;
  readonly #sums: LaneSums;
  readonly #series = new Map<string, Series>();
  readonly #ends = new Float64Array(STEPS);
  readonly #seconds = new Float32Array(STEPS);
  #steps = 0;
  #beforeMs = 0;
  #timer: TimerHandle | null = null;

  constructor(context: HistoryContext) {
    this.#context = context;
    this.#sums = new LaneSums(context.region);
  }

  start(): void {
    this.#beforeMs = this.#context.clock.nowMs();
    this.#forget(this.#readCounters());
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Steps over all listeners that ended after `since`, oldest first. @param since wall-clock ms */
  total(since: number): HistoryStep[] {
    return this.#read(TOTAL, since);
  }

  /** Steps of an upstream; none where it has no history. */
  upstream(name: string, since: number): HistoryStep[] {
    return this.#read(name, since);
  }

  /** Number of upstreams that have no history, because there are too many. */
  get leftOut(): number {
    return Math.max(0, this.#context.snapshot().upstreams.length - MOST_UPSTREAMS);
  }

  #schedule(): void {
    this.#timer = this.#context.timers.after(HISTORY_STEP_MS, () => {
      this.#take();
      this.#schedule();
    });
  }

  #take(): void {
    const { clock } = this.#context;
    const nowMs = clock.nowMs();
    const place = this.#steps % STEPS;
    this.#ends[place] = clock.wallMs();
    this.#seconds[place] = (nowMs - this.#beforeMs) / 1000;
    this.#beforeMs = nowMs;
    this.#steps++;
    const now = this.#readCounters();
    const levels = this.#readLevels();
    for (const [name, { before, ring }] of this.#series) {
      const after = now.get(name);
      const level = levels.get(name);
      if (after !== undefined && level !== undefined) write(ring, place, { ...difference(before, after), ...level });
    }
    this.#forget(now);
  }

  /** Makes these counters the start of the next step: series begin and end with their upstreams. */
  #forget(counters: ReadonlyMap<string, Counters>): void {
    for (const name of this.#series.keys()) if (!counters.has(name)) this.#series.delete(name);
    for (const [name, before] of counters) {
      const series = this.#series.get(name);
      if (series !== undefined) series.before = before;
      else this.#series.set(name, { before, ring: new Float32Array(STEPS * FIELDS.length).fill(Number.NaN) });
    }
  }

  #upstreams(): readonly UpstreamSnapshot[] {
    return this.#context.snapshot().upstreams.slice(0, MOST_UPSTREAMS);
  }

  #readCounters(): Map<string, Counters> {
    const all = new Float64Array(LATENCY_BUCKETS);
    const counters = new Map<string, Counters>();
    for (const { name, index } of this.#upstreams()) {
      const latencies = this.#sums.upstreamLatencies(index);
      for (const [bucket, count] of latencies.entries()) all[bucket]! += count;
      const requests = this.#sums.upstream(index, 'exchanges');
      counters.set(name, { requests, errors: this.#sums.upstream(index, 'responses5xx'), latencies });
    }
    let [requests, errors] = [0, 0];
    for (const { index } of this.#context.snapshot().listeners) {
      requests += this.#sums.listener(index, 'requests');
      errors += this.#sums.listener(index, 'responses5xx');
    }
    return counters.set(TOTAL, { requests, errors, latencies: all });
  }

  #readLevels(): Map<string, Pick<Values, 'inFlight' | 'queued' | 'saturation'>> {
    const { region } = this.#context;
    const levels = new Map<string, { inFlight: number; queued: number; saturation: number | null }>();
    const total = { inFlight: 0, queued: 0, saturation: this.#pressure() as number | null };
    for (const upstream of this.#upstreams()) {
      const queued = region.words[region.upstreamWord(upstream.index) + UPSTREAM.queued.index]!;
      const level = { queued, ...this.#fill(upstream) };
      levels.set(upstream.name, level);
      total.inFlight += level.inFlight;
      total.queued += queued;
      if (level.saturation !== null) total.saturation = Math.max(total.saturation ?? 0, level.saturation);
    }
    return levels.set(TOTAL, total);
  }

  /** Requests in flight, and their share of what the endpoints may have; null where an endpoint has no limit. */
  #fill({ endpoints }: UpstreamSnapshot): { inFlight: number; saturation: number | null } {
    const { words } = this.#context.region;
    let [inFlight, limit] = [0, 0];
    let hasLimits = endpoints.length > 0;
    for (const { slot } of endpoints) {
      const word = this.#context.region.endpointWord(slot);
      const most = words[word + ENDPOINT.limit.index]!;
      inFlight += words[word + ENDPOINT.inflight.index]!;
      limit += most;
      if (most === 0) hasLimits = false;
    }
    return { inFlight, saturation: hasLimits ? inFlight / limit : null };
  }

  /** Use of the fullest overload limit of all workers; null without workers. */
  #pressure(): number | null {
    const { region } = this.#context;
    const uses = this.#context.workers().map(({ worker }) => {
      return region.words[region.workerWord(worker) + WORKER.pressure.index]! / 1000;
    });
    return uses.length === 0 ? null : Math.max(...uses);
  }

  #read(name: string, since: number): HistoryStep[] {
    const ring = this.#series.get(name)?.ring;
    if (ring === undefined) return [];
    const length = Math.min(this.#steps, STEPS);
    const places = Array.from({ length }, (_, index) => (this.#steps - length + index) % STEPS);
    return places
      .filter((place) => this.#ends[place]! > since)
      .map((place) => ({ at: this.#ends[place]!, seconds: this.#seconds[place]!, ...valuesAt(ring, place) }));
  }
}

function difference(before: Counters, after: Counters): Pick<Values, 'requests' | 'errors' | 'p50Ms' | 'p99Ms'> {
  const latencies = after.latencies.map((count, bucket) => Math.max(0, count - before.latencies[bucket]!));
  return {
    // A record in shared memory may get another owner, whose counters begin at 0.
    requests: Math.max(0, after.requests - before.requests),
    errors: Math.max(0, after.errors - before.errors),
    p50Ms: percentileMs(latencies, 0.5),
    p99Ms: percentileMs(latencies, 0.99),
  };
}

function write(ring: Float32Array, place: number, values: Values): void {
  for (const [index, field] of FIELDS.entries()) ring[place * FIELDS.length + index] = values[field] ?? Number.NaN;
}

function valuesAt(ring: Float32Array, place: number): Values {
  const known = FIELDS.map((field, index) => {
    const value = ring[place * FIELDS.length + index]!;
    return [field, Number.isNaN(value) ? null : value];
  });
  return Object.fromEntries(known) as Values;
}
