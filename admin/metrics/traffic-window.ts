// Rates and percentiles over the last ten seconds, from samples of the lanes. Thread: main.

import { percentileMs } from '../../core/latency-percentile.ts';
import { LATENCY_BUCKETS } from '../../core/memory/lane-fields.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { TimerHandle } from '../../core/timers.ts';
import type { AdminContext } from '../admin-context.ts';
import { LaneSums } from './lane-sums.ts';

/** Sampling interval in ms. */
const SAMPLE_MS = 2000;
/** Kept samples: the oldest is ten seconds old until the next one. */
const SAMPLES = 6;

/** Figures of the window. Percentiles are null without samples. */
export interface Traffic {
  /** Seconds that the window spans. */
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** Share of failures, 0 to 1: 5xx of an upstream, failed attempts of an endpoint. 0 without samples. */
  readonly errorShare: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

/** Counters of one upstream or endpoint in one sample. */
interface Reading {
  readonly requests: number;
  readonly judged: number;
  readonly errors: number;
  readonly latencies: Float64Array;
}

interface Sample {
  readonly nowMs: number;
  readonly readings: ReadonlyMap<string, Reading>;
}

/** Key of the sample over all listeners. */
const CLIENTS = 'clients';

/** Samples periodically from `start` to `stop`. */
export class TrafficWindow {
  readonly #context: Pick<AdminContext, 'region' | 'clock' | 'timers' | 'snapshot'>;
  readonly #sums: LaneSums;
  readonly #samples: Sample[] = [];
  /** Reused: a status of a thousand endpoints reads a thousand differences. */
  readonly #difference = new Float64Array(LATENCY_BUCKETS);
  #timer: TimerHandle | null = null;

  constructor(context: Pick<AdminContext, 'region' | 'clock' | 'timers' | 'snapshot'>) {
    this.#context = context;
    this.#sums = new LaneSums(context.region);
  }

  start(): void {
    this.#samples.push(this.#sample());
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#timer = this.#context.timers.after(SAMPLE_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** All requests of all listeners, those that Fairlead answered itself included. No latencies. */
  clients(): Traffic {
    return this.#since(CLIENTS, this.#readClients());
  }

  upstream(upstream: UpstreamSnapshot): Traffic {
    return this.#since(keyOfUpstream(upstream), this.#readUpstream(upstream));
  }

  endpoint(endpoint: EndpointSnapshot): Traffic {
    return this.#since(keyOfEndpoint(endpoint), this.#readEndpoint(endpoint));
  }

  #sample(): Sample {
    const readings = new Map<string, Reading>([[CLIENTS, this.#readClients()]]);
    for (const upstream of this.#context.snapshot().upstreams) {
      readings.set(keyOfUpstream(upstream), this.#readUpstream(upstream));
      for (const endpoint of upstream.endpoints) readings.set(keyOfEndpoint(endpoint), this.#readEndpoint(endpoint));
    }
    return { nowMs: this.#context.clock.nowMs(), readings };
  }

  #readClients(): Reading {
    let requests = 0;
    let errors = 0;
    for (const { index } of this.#context.snapshot().listeners) {
      requests += this.#sums.listener(index, 'requests');
      errors += this.#sums.listener(index, 'responses5xx');
    }
    return { requests, judged: requests, errors, latencies: new Float64Array(0) };
  }

  #readUpstream({ index }: UpstreamSnapshot): Reading {
    const requests = this.#sums.upstream(index, 'exchanges');
    const errors = this.#sums.upstream(index, 'responses5xx');
    return { requests, judged: requests, errors, latencies: this.#sums.upstreamLatencies(index) };
  }

  #readEndpoint({ slot }: EndpointSnapshot): Reading {
    const errors = this.#sums.endpoint(slot, 'fail');
    const judged = errors + this.#sums.endpoint(slot, 'ok');
    const requests = this.#sums.endpoint(slot, 'attempts');
    return { requests, judged, errors, latencies: this.#sums.endpointLatencies(slot) };
  }

  /** Difference to the oldest sample that contains the key. */
  #since(key: string, now: Reading): Traffic {
    const sample = this.#samples.find(({ readings }) => readings.has(key));
    const then = sample?.readings.get(key) ?? now;
    const seconds = sample === undefined ? 0 : (this.#context.clock.nowMs() - sample.nowMs) / 1000;
    const latencies = this.#difference;
    for (let i = 0; i < latencies.length; i++) latencies[i] = (now.latencies[i] ?? 0) - (then.latencies[i] ?? 0);
    const judged = now.judged - then.judged;
    return {
      seconds,
      requestsPerSecond: seconds > 0 ? (now.requests - then.requests) / seconds : 0,
      errorShare: judged > 0 ? (now.errors - then.errors) / judged : 0,
      p50Ms: percentileMs(latencies, 0.5),
      p90Ms: percentileMs(latencies, 0.9),
      p99Ms: percentileMs(latencies, 0.99),
    };
  }
}

/** By name, since a record in shared memory may get another owner. */
function keyOfUpstream({ name, index }: UpstreamSnapshot): string {
  return `upstream ${index} ${name}`;
}

function keyOfEndpoint({ slot, generation }: EndpointSnapshot): string {
  return `endpoint ${slot} ${generation}`;
}
